import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { createTally } from '../../lib/tally.ts'

/** How many requests may wait for the answer to an earlier one of their own connection. */
export const MAX_QUEUED = { perConnection: 100, inAll: 5000 }

const REPORT_EVERY_MS = 60_000

/**
 * Ends connections that send one request after the other and do not wait for the answers. Node answers all that it has
 * read, some thousands at a time, and keeps what the client does not take: a few clients that read nothing would
 * fill the memory. What such a connection sent beyond is not looked at.
 */
export default fp(async (fastify) => {
  const { server, clock, log } = fastify
  const handlers = server.listeners('request')
  const queuedOf = new WeakMap<Socket, number>()
  let queuedInAll = 0
  const tell = createTally({
    everyMs: REPORT_EVERY_MS,
    now: () => clock.now(),
    report: (connections) => { log.warn({ connections }, 'Connections were ended that sent too many requests without waiting for answers') }
  })

  function enqueue (socket: Socket, response: ServerResponse): void {
    queuedOf.set(socket, queuedBy(socket) + 1)
    queuedInAll++
    response.once('close', () => {
      queuedOf.set(socket, queuedBy(socket) - 1)
      queuedInAll--
    })
  }

  const queuedBy = (socket: Socket): number => queuedOf.get(socket) ?? 0
  const hasRoom = (socket: Socket): boolean => queuedInAll < MAX_QUEUED.inAll && queuedBy(socket) < MAX_QUEUED.perConnection

  function handle (request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    if (socket.destroyed) return
    // An answer that has to wait for an earlier one has no socket yet.
    const isQueued = response.socket === null
    if (isQueued && !hasRoom(socket)) {
      tell()
      socket.destroy()
      return
    }
    if (isQueued) enqueue(socket, response)
    handlers.forEach((handler) => { handler.call(server, request, response) })
  }

  // What a client expects besides an answer is ignored (RFC 9110 section 10.1.1); Node would refuse it by itself, past all that follows.
  server.removeAllListeners('request').on('request', handle).on('checkExpectation', handle)
}, { name: 'pipelining', fastify: '5.x', dependencies: ['clock', 'draining'] })
