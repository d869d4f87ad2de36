import cors from '@fastify/cors'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Here a preflight is answered like every other request. */
    cors?: false
  }
}

export default fp(async (fastify) => {
  const { corsOrigins } = fastify.config
  if (corsOrigins.length === 0) return

  const allowed = new Set<string | undefined>(corsOrigins)

  await fastify.register(cors, {
    // Not a list: with one, strangers too are told what would be allowed, and answered as if a preflight had succeeded.
    origin: (origin, decide) => { decide(null, allowed.has(origin)) },
    strictPreflight: false,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['www-authenticate', 'retry-after'],
    maxAge: 600
  })
}, { name: 'cors', fastify: '5.x', dependencies: ['config', 'security-headers'] })
