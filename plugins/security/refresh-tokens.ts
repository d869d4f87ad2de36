import fp from 'fastify-plugin'
import { createRefreshTokens, type RefreshTokens } from '../../lib/refresh-token.ts'

declare module 'fastify' {
  interface FastifyInstance {
    refreshTokens: RefreshTokens
  }
}

export default fp(async (fastify) => {
  fastify.decorate('refreshTokens', createRefreshTokens(fastify.vault))
}, { name: 'refresh-tokens', fastify: '5.x', dependencies: ['vault'] })
