import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the service is stopping: it accepts no connection any more and finishes what it has begun. */
    isDraining: () => boolean
  }
}

/** Node's own note on a connection: the answer that is being given. */
type Connection = Socket & { _httpMessage?: ServerResponse | null }

/** Lets the service stop with its last answer, whatever connections clients and gateways keep open. */
export default fp(async (fastify) => {
  const { server } = fastify
  const connections = new Set<Connection>()
  let pending = 0
  let draining = false

  function endIfDone (): void {
    if (draining && pending === 0) server.closeAllConnections()
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
    response.on('close', onAnswered)
  })

  fastify.addHook('preClose', async () => {
    draining = true
    connections.forEach(({ _httpMessage: answer }) => {
      if (answer?.headersSent === false) answer.setHeader('connection', 'close')
    })
    endIfDone()
  })

  fastify.decorate('isDraining', () => draining)
}, { name: 'draining', fastify: '5.x' })
