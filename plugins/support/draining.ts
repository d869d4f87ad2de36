import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the service is stopping: it accepts no connection any more and finishes what it has begun. */
    isDraining: () => boolean
    /**
     * Accepts no connection any more and ends each with its next answer. Resolves when all have ended, or when those
     * that are left had `LINGER_MS` for it: a gateway may be sending on one that is idle here.
     */
    drain: () => Promise<void>
  }
}

const LINGER_MS = 500

/** Node's own note on a connection: the answer that is being given. */
type Connection = Socket & { _httpMessage?: ServerResponse | null }

/** Lets the service stop with its last answer, whatever connections clients and gateways keep open. */
export default fp(async (fastify) => {
  const { server } = fastify
  const connections = new Set<Connection>()
  let pending = 0
  let draining = false
  let closing = false

  function beginDraining (): void {
    draining = true
    connections.forEach(({ _httpMessage: answer }) => {
      if (answer?.headersSent === false) answer.setHeader('connection', 'close')
    })
  }

  function endIfDone (): void {
    if (closing && pending === 0) server.closeAllConnections()
  }

  function onAnswered (): void {
    pending--
    endIfDone()
  }

  server.on('connection', (connection: Connection) => {
    connections.add(connection)
    connection.on('close', () => { connections.delete(connection) })
  })

  server.on('request', (_request, response) => {
    pending++
    if (draining) response.setHeader('connection', 'close')
    response.on('close', onAnswered)
  })

  fastify.addHook('preClose', async () => {
    beginDraining()
    closing = true
    endIfDone()
  })

  fastify.decorate('isDraining', () => draining)

  fastify.decorate('drain', async () => {
    const over = new AbortController()
    const ended = once(server, 'close')
    beginDraining()
    // That of an HTTP server would end idle connections too.
    Server.prototype.close.call(server)
    await Promise.race([ended, pause(LINGER_MS, undefined, over)])
    over.abort()
  })
}, { name: 'draining', fastify: '5.x' })
