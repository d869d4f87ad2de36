import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { formatScope } from '../lib/scopes.ts'
import { insufficientScope } from '../plugins/security/auth.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { VerifyQuerySchema } from '../schemas/verify.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  // Some gateways send the body of the request that they ask about.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  for (const url of ['/verify', '/verify/*']) {
    fastify.all(url, {
      config: { scopes: [] },
      schema: {
        operationId: url === '/verify' ? 'verifyToken' : 'verifyTokenOfPath',
        summary: 'Check a token for a gateway',
        description: 'For nginx `auth_request`, forward auth in Traefik and Caddy, and Envoy `ext_authz`: any method, with any path after `/verify/`. The answer says who it is in headers that the gateway passes on; the gateway must remove the same headers from what clients send.',
        tags: ['Gateway'],
        hide: url !== '/verify',
        querystring: VerifyQuerySchema,
        response: {
          204: Type.Null({
            description: 'The token is valid and allows what was asked',
            headers: {
              'X-Auth-User': { type: 'string', description: 'The user\'s id' },
              'X-Auth-Username': { type: 'string', description: 'The username, percent-encoded UTF-8' },
              'X-Auth-Scope': { type: 'string', description: 'What the token allows now, separated by spaces' },
              'X-Auth-Session': { type: 'string', description: 'The session\'s id' }
            }
          }),
          '4xx': { description: 'The request is not acceptable', ...ProblemSchema },
          '5xx': { description: 'Something went wrong here', ...ProblemSchema }
        }
      }
    }, async (request, reply) => {
      const { session, scopes } = request.auth
      const required = request.query.scope?.split(' ') ?? []
      if (!required.every((scope) => scopes.includes(scope))) throw insufficientScope(required)
      return await reply.code(204).headers({
        'x-auth-user': session.user.id,
        'x-auth-username': encodeURIComponent(session.user.username),
        'x-auth-scope': formatScope(scopes),
        'x-auth-session': session.id
      }).send(null)
    })
  }
}

export default routes
