import fp from 'fastify-plugin'
import { SECURITY_HEADERS } from '../../lib/server-options.ts'

// Fixed values, set once for each answer: @fastify/helmet computes the same ones anew for each request.
export default fp(async (fastify) => {
  fastify.addHook('onRequest', async (_request, reply) => { reply.headers(SECURITY_HEADERS) })
}, { name: 'security-headers', fastify: '5.x' })
