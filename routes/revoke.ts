import formbody from '@fastify/formbody'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { Client } from '../lib/clients.ts'
import { authenticateClient, refuseRepeatedHeaders } from '../lib/client-authentication.ts'
import { InvalidTokenError } from '../lib/compact-jws.ts'
import { parseForm, requireParameter } from '../lib/form.ts'
import { auditContext } from '../plugins/data/audit.ts'
import { OAuthErrorSchema } from '../schemas/errors.ts'
import { ALLOW, BASIC_CHALLENGE } from '../schemas/headers.ts'
import { NoQuerySchema, RevocationRequestSchema } from '../schemas/token.ts'

const BODY_LIMIT = 16_384

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { accessTokens, refreshTokens, sessions } = fastify

  fastify.removeAllContentTypeParsers()
  await fastify.register(formbody, { bodyLimit: BODY_LIMIT, parser: parseForm })

  async function sessionOf (token: string): Promise<string | undefined> {
    const refreshToken = refreshTokens.read(token)
    if (refreshToken !== undefined) return refreshToken.sessionId
    try {
      const { sid } = await accessTokens.verifyLatest(token)
      return sid
    } catch (error) {
      if (error instanceof InvalidTokenError) return undefined
      throw error
    }
  }

  async function isOwn (sessionId: string, client: Client): Promise<boolean> {
    const session = await sessions.findLive(sessionId)
    return session?.clientId === client.id
  }

  fastify.post('/revoke', {
    config: { public: true, oauth: true },
    schema: {
      operationId: 'revokeToken',
      summary: 'Log out',
      description: 'The revocation endpoint of RFC 7009. Ends the session that the token belongs to, at once and with all its tokens. The answer is the same for a token that is not known or is not valid any more.',
      tags: ['OAuth'],
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      querystring: NoQuerySchema,
      body: RevocationRequestSchema,
      response: {
        200: Type.Object({}, { title: 'Revoked', description: 'The token is of no use (any more)' }),
        400: { description: 'What was sent is not acceptable: `invalid_request`', ...OAuthErrorSchema },
        401: { description: 'Unknown client: `invalid_client`', headers: BASIC_CHALLENGE, ...OAuthErrorSchema },
        '4xx': { description: 'Not a form, too large, or another method than POST', headers: ALLOW, ...OAuthErrorSchema },
        '5xx': { description: 'The token was not revoked; try again', ...OAuthErrorSchema }
      }
    }
  }, async (request) => {
    refuseRepeatedHeaders(request.raw.rawHeaders)
    const form = request.body
    const client = authenticateClient(request.headers.authorization, form)
    const sessionId = await sessionOf(requireParameter(form, 'token'))
    if (sessionId !== undefined && await isOwn(sessionId, client)) {
      await sessions.revoke(sessionId, 'logout', auditContext(request, client.id))
    }
    return {}
  })
}

export default routes
