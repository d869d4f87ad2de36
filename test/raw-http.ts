import { connect, type AddressInfo, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

/** An answer as it came over the wire. Names of headers are in lower case. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** A connection to the service on which a test writes what no HTTP client would. */
export interface Connection {
  send (text: string): void
  /** Resolves when so many answers are there. */
  answers (count: number): Promise<Answer[]>
  /** Resolves when the service has closed the connection, to all that came before. */
  end (): Promise<Answer[]>
  /** Goes away without a word. */
  reset (): void
}

const FORM = 'content-type: application/x-www-form-urlencoded\r\n'

/** Puts the service on a free port; its timeouts can be changed on `fastify.server` afterwards. */
export async function listen (fastify: FastifyInstance): Promise<number> {
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  return (fastify.server.address() as AddressInfo).port
}

export async function open (t: Test, port: number): Promise<Connection> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  let received = ''
  socket.on('data', (chunk) => { received += chunk.toString('latin1') })
  // A connection that was reset has ended too; what came before decides.
  socket.on('error', () => {})
  await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })

  return {
    send (text) { socket.write(text, 'latin1') },

    async answers (count) {
      while (parseAnswers(received).answers.length < count) await nextEvent(socket)
      return parseAnswers(received).answers
    },

    async end () {
      while (!socket.destroyed) await nextEvent(socket)
      const { answers, rest } = parseAnswers(received)
      if (rest !== '') throw new Error(`after the answers came: ${rest}`)
      return answers
    },

    reset () { socket.resetAndDestroy() }
  }
}

/** A request after which the connection stays open. */
export const LIVE = 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\n\r\n'

/** A connection that was used and does nothing now. */
export async function openIdle (t: Test, port: number): Promise<Connection> {
  const connection = await open(t, port)
  connection.send(LIVE)
  await connection.answers(1)
  return connection
}

/** Sends text on a connection of its own and gives what came until the service closed it. */
export async function exchange (t: Test, port: number, text: string): Promise<Answer[]> {
  const connection = await open(t, port)
  connection.send(text)
  return await connection.end()
}

/** A request after which the service closes the connection. */
export function request (line: string, headers = '', body = ''): string {
  return `${line} HTTP/1.1\r\nhost: latchkey\r\nconnection: close\r\n${headers}\r\n${body}`
}

/** A form to send, with its length. */
export function formRequest (path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: latchkey\r\n${FORM}content-length: ${body.length}\r\n${headers}\r\n${body}`
}

/** The same in chunks, the last of which is missing. */
export function chunkedForm (path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: latchkey\r\n${FORM}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`
}

async function nextEvent (socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = (): void => { resolve() }
  socket.once('data', done).once('close', done)
  await promise
  socket.off('data', done).off('close', done)
}

function parseAnswers (text: string): { answers: Answer[], rest: string } {
  const answers: Answer[] = []
  let rest = text
  while (true) {
    const parsed = parseAnswer(rest)
    if (parsed === undefined) return { answers, rest }
    answers.push(parsed.answer)
    rest = parsed.rest
  }
}

function parseAnswer (text: string): { answer: Answer, rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]))
  // Node itself answers in chunks, and always without a body.
  const length = headers['transfer-encoding'] === 'chunked' ? '0\r\n\r\n'.length : Number(headers['content-length'] ?? 0)
  const begin = end + 4
  if (text.length < begin + length) return undefined
  const body = text.slice(begin, begin + length)
  return { answer: { status: Number(statusLine.split(' ')[1]), headers, body: body === '0\r\n\r\n' ? '' : body }, rest: text.slice(begin + length) }
}
