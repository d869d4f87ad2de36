import formbody from '@fastify/formbody'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { authenticateClient, refuseRepeatedHeaders } from '../lib/client-authentication.ts'
import { OAuthError } from '../lib/errors.ts'
import { parseForm, requireParameter } from '../lib/form.ts'
import { hangUpSignal } from '../lib/hang-up.ts'
import { auditContext } from '../plugins/data/audit.ts'
import { OAuthErrorSchema } from '../schemas/errors.ts'
import { ALLOW, BASIC_CHALLENGE, NO_STORE, RETRY_AFTER } from '../schemas/headers.ts'
import { NoQuerySchema, TokenRequestSchema, TokenResponseSchema } from '../schemas/token.ts'

// An unauthenticated caller can make us parse no more than this.
const BODY_LIMIT = 8192

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { config, grants, accessTokens, refreshTokens } = fastify

  // Only forms are accepted here.
  fastify.removeAllContentTypeParsers()
  await fastify.register(formbody, { bodyLimit: BODY_LIMIT, parser: parseForm })

  fastify.post('/token', {
    config: { public: true, oauth: true },
    schema: {
      operationId: 'issueToken',
      summary: 'Log in, or go on with a session',
      description: 'The token endpoint of RFC 6749. With `grant_type=password` it checks a username and a password and opens a session (of a user\'s thousand the oldest ends); with `grant_type=refresh_token` it gives the next pair of tokens of that session. A refresh token is good once: its use gives the next one, and the same next one again for a few seconds, in case the answer got lost. A refresh token that is used after that ends the session.',
      tags: ['OAuth'],
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      querystring: NoQuerySchema,
      body: TokenRequestSchema,
      response: {
        200: { description: 'Tokens', headers: NO_STORE, ...TokenResponseSchema },
        400: { description: 'What was sent is not acceptable: `invalid_request`, `invalid_grant`, `invalid_scope`, `unauthorized_client` or `unsupported_grant_type`', ...OAuthErrorSchema },
        401: { description: 'Unknown client: `invalid_client`', headers: BASIC_CHALLENGE, ...OAuthErrorSchema },
        429: { description: 'Too many failures: `slow_down`; try again after `Retry-After` seconds. The answer is the same whatever the password is', headers: RETRY_AFTER, ...OAuthErrorSchema },
        '4xx': { description: 'Not a form, too large, or another method than POST', headers: ALLOW, ...OAuthErrorSchema },
        503: { description: 'Too many log-ins at a time, or no database: `temporarily_unavailable`; try again after `Retry-After` seconds', headers: RETRY_AFTER, ...OAuthErrorSchema },
        '5xx': { description: 'Something went wrong here', ...OAuthErrorSchema }
      }
    }
  }, async (request, reply) => {
    refuseRepeatedHeaders(request.raw.rawHeaders)
    const form = request.body
    const client = authenticateClient(request.headers.authorization, form)
    const grantType = requireParameter(form, 'grant_type')
    const handle = grants.get(grantType)
    if (handle === undefined) throw new OAuthError('unsupported_grant_type', 'The grant type is not supported')
    if (!client.grantTypes.includes(grantType)) throw new OAuthError('unauthorized_client', 'The client may not use this grant type')

    const grant = await handle({ form, client, context: auditContext(request, client.id), signal: hangUpSignal(reply.raw) })
    return {
      access_token: accessTokens.issue({ ...grant, clientId: client.id }),
      token_type: 'bearer' as const,
      expires_in: config.accessTokenTtl,
      refresh_token: refreshTokens.issue(grant),
      scope: grant.scope
    }
  })
}

export default routes
