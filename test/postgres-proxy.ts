import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Stands between the service and PostgreSQL as a network does. */
export interface PostgresProxy {
  /** The same database by way of the proxy. */
  url: string
  /** What clients have sent so far. */
  sent: () => string
  /** Cuts the connections that are there. */
  cut: () => void
  /** Lets nothing through any more, in either direction, and tells nobody. */
  freeze: () => void
  thaw: () => void
  /** Called with all that a client sends, before the server gets it. */
  onSend: (text: string) => void
}

interface Options {
  /** Gives each client a process id of its own, as poolers do. */
  isPooler?: boolean
}

const BACKEND_KEY_DATA = 0x4B // K

export async function startProxy (t: Test, target: string, { isPooler = false }: Options = {}): Promise<PostgresProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let sent = ''
  let isFrozen = false

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
      if (isFrozen) socket.pause()
    }
    client.on('data', (chunk) => {
      sent += chunk.toString('latin1')
      proxy.onSend(chunk.toString('latin1'))
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => { client.write(isPooler ? withoutProcessId(chunk) : chunk) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    proxy.cut()
    server.close()
  })

  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  const proxy: PostgresProxy = {
    url: url.href,
    sent: () => sent,
    cut: () => { sockets.forEach((socket) => { socket.destroy() }) },
    freeze: () => {
      isFrozen = true
      sockets.forEach((socket) => { socket.pause() })
    },
    thaw: () => {
      isFrozen = false
      sockets.forEach((socket) => { socket.resume() })
    },
    onSend: () => {}
  }
  return proxy
}

/** The first answer of the server ends with the process id and a secret, and that it is ready. */
function withoutProcessId (chunk: Buffer): Buffer {
  const start = chunk.length - 19
  if (start >= 0 && chunk[start] === BACKEND_KEY_DATA && chunk.readUInt32BE(start + 1) === 12) chunk.writeUInt32BE(1, start + 5)
  return chunk
}
