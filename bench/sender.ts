import { connect, type Socket } from 'node:net'
import type { Request } from 'autocannon'

/** What came back for one request. */
export interface Answer {
  /** 0 if none came: the sender gave up, or the connection broke. */
  status: number
  /** Since the request was due. */
  ms: number
}

export interface Sender {
  /** Waits for no other request. */
  send (request: Request, dueAt: number, onAnswer: (answer: Answer) => void): void
  /** Hangs up on those that were due before. */
  giveUp (dueBefore: number): void
  readonly waiting: number
  close (): void
}

interface Waiting {
  connection: Connection
  dueAt: number
  answer: (status: number) => void
}

/** One request at a time, without the parts of an HTTP client that would take a core from the service. */
interface Connection {
  socket: Socket
  received: string
  onAnswer: (status: number) => void
}

const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '\r\n0\r\n\r\n'

/** The status of the answer, once all of it is there. */
function statusOf (received: string): number | undefined {
  const headEnd = received.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1]
  // What has no length comes in chunks.
  const isThere = length === undefined ? received.endsWith(LAST_CHUNK) : received.length >= headEnd + HEAD_END.length + Number(length)
  return isThere ? Number(received.slice(9, 12)) : undefined
}

/** Opens a connection whenever none is idle, as separate clients would. Times are those of `performance.now()`. */
export function createSender (url: string): Sender {
  const { hostname: host, port } = new URL(url)
  const texts = new WeakMap<Request, string>()
  const idle: Connection[] = []
  const inOrder = new Set<Waiting>()

  function textOf (request: Request): string {
    const known = texts.get(request)
    if (known !== undefined) return known
    const { method, path, headers = {}, body = '' } = request
    const lines = Object.entries({ host: `${host}:${port}`, ...headers, 'content-length': Buffer.byteLength(body) })
    const text = [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${String(value)}`), '', body].join('\r\n')
    texts.set(request, text)
    return text
  }

  function open (): Connection {
    const socket = connect({ host, port: Number(port), noDelay: true }).setEncoding('latin1')
    const connection: Connection = { socket, received: '', onAnswer: () => {} }
    socket.on('data', (text: string) => {
      connection.received += text
      const status = statusOf(connection.received)
      if (status === undefined) return
      connection.received = ''
      idle.push(connection)
      connection.onAnswer(status)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      const index = idle.indexOf(connection)
      if (index === -1) connection.onAnswer(0)
      else idle.splice(index, 1)
    })
    return connection
  }

  return {
    send (request, dueAt, onAnswer) {
      const connection = idle.pop() ?? open()
      const entry = {
        connection,
        dueAt,
        answer (status: number): void {
          if (inOrder.delete(entry)) onAnswer({ status, ms: performance.now() - dueAt })
        }
      }
      inOrder.add(entry)
      connection.onAnswer = entry.answer
      connection.socket.write(textOf(request))
    },

    giveUp (dueBefore) {
      for (const { connection, dueAt, answer } of inOrder) {
        if (dueAt >= dueBefore) return
        answer(0)
        connection.socket.destroy()
      }
    },

    get waiting () { return inOrder.size },

    close () { for (const { socket } of idle.splice(0)) socket.destroy() }
  }
}
