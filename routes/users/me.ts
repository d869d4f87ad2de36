import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { toUserBody } from '../../lib/user.ts'
import { ProblemSchema } from '../../schemas/errors.ts'
import { ALLOW } from '../../schemas/headers.ts'
import { UserSchema } from '../../schemas/users.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.get('/me', {
    config: { scopes: ['profile'] },
    schema: {
      operationId: 'readOwnProfile',
      summary: 'Your own profile',
      description: 'The user to whom the access token was given, as he is now: a change or the end of the session shows at once.',
      tags: ['Users'],
      response: {
        200: { description: 'The user', ...UserSchema },
        '4xx': { description: 'The request is not acceptable', headers: ALLOW, ...ProblemSchema },
        '5xx': { description: 'Something went wrong here', ...ProblemSchema }
      }
    }
  }, async (request) => toUserBody(request.auth.session.user))
}

export default routes
