import { connect, type Socket } from 'node:net'

export interface WireAnswer {
  status: number
  /** Names are in lower case. */
  headers: Record<string, string>
  body: string
}

/** Sends one request after the other, as it is, on a connection that is made anew when the service closed it. */
export interface Wire {
  /** @throws Error if no whole answer comes within `TIMEOUT_MS` */
  send (request: { method: string, target: string, headers: Array<[string, string]>, body: string }): Promise<WireAnswer>
  close (): void
}

// The service itself answers sooner, whatever happens.
const TIMEOUT_MS = 20_000

export function createWire (port: number): Wire {
  let socket: Socket | undefined

  async function exchange (connection: Socket, text: string, isHead: boolean): Promise<WireAnswer> {
    return await new Promise((resolve, reject) => {
      let received = ''
      const finish = (settle: () => void): void => {
        clearTimeout(timer)
        connection.removeAllListeners()
        // What the service still says on a connection that nobody reads any more.
        connection.on('error', () => {})
        settle()
      }
      const fail = (reason: string): void => { finish(() => { connection.destroy(); reject(new Error(reason)) }) }
      const timer = setTimeout(() => { fail(`no answer within ${TIMEOUT_MS} ms`) }, TIMEOUT_MS)
      connection.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1')
        const answer = readAnswer(received, isHead)
        if (answer !== undefined) finish(() => { resolve(answer) })
      })
      connection.on('error', (error) => { fail(error.message) })
      connection.on('close', () => { fail(`closed after: ${received}`) })
      connection.write(text, 'latin1')
    })
  }

  return {
    async send ({ method, target, headers, body }) {
      if (socket === undefined || socket.destroyed || !socket.readable) socket = connect(port, '127.0.0.1')
      const bytes = Buffer.from(body)
      const lines = [`${method} ${target} HTTP/1.1`, 'host: latchkey', ...headers.map(([name, value]) => `${name}: ${value}`), `content-length: ${bytes.length}`, '', '']
      const answer = await exchange(socket, lines.join('\r\n') + bytes.toString('latin1'), method === 'HEAD')
      if (answer.headers.connection === 'close') socket.destroy()
      return answer
    },

    close () { socket?.destroy() }
  }
}

function readAnswer (text: string, isHead: boolean): WireAnswer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]))
  const length = isHead ? 0 : Number(headers['content-length'] ?? 0)
  const body = text.slice(end + 4)
  if (body.length < length) return undefined
  return { status: Number(statusLine.split(' ')[1]), headers, body: Buffer.from(body, 'latin1').toString() }
}
