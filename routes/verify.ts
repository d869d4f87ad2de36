import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { METHODS } from '../lib/node-http.ts'
import { formatScope } from '../lib/scopes.ts'
import { insufficientScope } from '../plugins/security/auth.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { ForwardedQuerySchema, VerifyQuerySchema } from '../schemas/verify.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  // Some gateways send the method, the headers or the body of the request that they ask about.
  fastify.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
  fastify.addHook('onRequest', async ({ headers }) => { headers['content-type'] = 'application/octet-stream' })
  METHODS.filter((method) => !fastify.supportedMethods.includes(method)).forEach((method) => fastify.addHttpMethod(method))
  const undocumented = METHODS.filter((method) => method !== 'GET' && method !== 'HEAD')

  for (const { url, method } of [
    { url: '/verify', method: 'GET' },
    { url: '/verify', method: undocumented },
    { url: '/verify/*', method: METHODS }
  ]) {
    fastify.route({
      url,
      method,
      // A preflight for another service is not ours to answer.
      config: { scopes: [], cors: false },
      schema: {
        operationId: 'verifyToken',
        summary: 'Check a token for a gateway',
        description: 'For nginx `auth_request` and forward auth in Traefik and Caddy: any method, with any path after `/verify/`. The answer says who it is in headers that the gateway passes on; the gateway must remove the same headers from what clients send.',
        tags: ['Gateway'],
        hide: method !== 'GET',
        querystring: url === '/verify' ? VerifyQuerySchema : ForwardedQuerySchema,
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
      },
      handler: async (request, reply) => {
        const { session, scopes } = request.auth
        const required = request.query.scope?.split(' ') ?? []
        if (!required.every((scope) => scopes.includes(scope))) throw insufficientScope(required)
        return await reply.code(204).headers({
          'x-auth-user': session.user.id,
          'x-auth-username': encodeURIComponent(session.user.username),
          'x-auth-scope': formatScope(scopes),
          'x-auth-session': session.id
        }).send(null)
      }
    })
  }
}

export default routes
