import cors from '@fastify/cors'
import fp from 'fastify-plugin'

export default fp(async (fastify) => {
  const { corsOrigins } = fastify.config
  if (corsOrigins.length === 0) return

  await fastify.register(cors, {
    origin: [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['www-authenticate', 'retry-after'],
    maxAge: 600
  })
}, { name: 'cors', fastify: '5.x', dependencies: ['config', 'security-headers'] })
