import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the service is stopping: it accepts no connection any more and finishes what it has begun. */
    isDraining: () => boolean
  }
}

/** Lets the service stop with its last answer, whatever connections clients and gateways keep open. */
export default fp(async (fastify) => {
  const { server } = fastify
  const pending = new Set<ServerResponse>()
  let draining = false

  function endIfDone (): void {
    if (draining && pending.size === 0) server.closeAllConnections()
  }

  server.on('request', (_request, response) => {
    pending.add(response)
    response.once('close', () => {
      pending.delete(response)
      endIfDone()
    })
  })

  fastify.addHook('preClose', async () => {
    draining = true
    pending.forEach((response) => { if (!response.headersSent) response.setHeader('connection', 'close') })
    endIfDone()
  })

  fastify.decorate('isDraining', () => draining)
}, { name: 'draining', fastify: '5.x' })
