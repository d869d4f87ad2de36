import { Agent, request as open, type ClientRequest } from 'node:http'
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
  request: ClientRequest
  dueAt: number
  answer: (status: number) => void
}

/** Opens a connection whenever none is idle, as separate clients would. Times are those of `performance.now()`. */
export function createSender (url: string): Sender {
  const { hostname: host, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity })
  const inOrder = new Set<Waiting>()

  return {
    send ({ method, path, headers, body = '' }, dueAt, onAnswer) {
      const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) }
      const request = open({ agent, host, port, method, path, headers: { ...headers, ...length } })
      const entry = {
        request,
        dueAt,
        answer (status: number): void {
          if (inOrder.delete(entry)) onAnswer({ status, ms: performance.now() - dueAt })
        }
      }
      inOrder.add(entry)
      request.on('error', () => { entry.answer(0) })
      request.once('response', (response) => {
        response.resume()
        response.once('end', () => { entry.answer(response.statusCode as number) })
        response.on('error', () => { entry.answer(0) })
      })
      request.end(body)
    },

    giveUp (dueBefore) {
      for (const { request, dueAt, answer } of inOrder) {
        if (dueAt >= dueBefore) return
        answer(0)
        request.destroy()
      }
    },

    get waiting () { return inOrder.size },

    close () { agent.destroy() }
  }
}
