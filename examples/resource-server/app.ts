import Fastify, { type FastifyInstance } from 'fastify'
import accessTokens, { type AccessTokensOptions } from './access-tokens.ts'

/** An API with a door for everybody who is logged in, and one for those who may do more. */
export async function buildApp (options: AccessTokensOptions, logger = false): Promise<FastifyInstance> {
  const app = Fastify({ logger })
  await app.register(accessTokens, options)

  app.get('/health', async () => ({ status: 'live' }))

  app.get('/notes', { onRequest: app.requireScopes('profile') }, async ({ caller }) => ({ owner: caller.id, notes: [] }))

  app.delete('/admin/notes', { onRequest: app.requireScopes('users:write') }, async (_request, reply) => await reply.code(204).send())

  return app
}
