import fp from 'fastify-plugin'
import { createThrottleKeys, type ThrottleKeys } from '../../lib/throttle/keys.ts'

declare module 'fastify' {
  interface FastifyInstance {
    throttleKeys: ThrottleKeys
  }
}

export default fp(async (fastify) => {
  const { vault } = fastify
  fastify.decorate('throttleKeys', createThrottleKeys((text) => vault.pseudonym(text)))
}, { name: 'throttle-keys', fastify: '5.x', dependencies: ['vault'] })
