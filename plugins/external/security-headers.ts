import fp from 'fastify-plugin'
import { SECURITY_HEADERS } from '../../lib/server-options.ts'

// Fixed values, set once for each answer: @fastify/helmet computes the same ones anew for each request.
export default fp(async (fastify) => {
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS)
    done()
  })
}, { name: 'security-headers', fastify: '5.x' })
