import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { User } from '../../plugins/data/users.ts'
import { ProblemSchema } from '../../schemas/errors.ts'
import { UserSchema, type UserBody } from '../../schemas/users.ts'

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
        '4xx': { description: 'The request is not acceptable', ...ProblemSchema },
        '5xx': { description: 'Something went wrong here', ...ProblemSchema }
      }
    }
  }, async (request) => toBody(request.auth.session.user))
}

function toBody (user: User): UserBody {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.emailVerifiedAt !== null,
    full_name: user.fullName,
    disabled: user.disabledAt !== null,
    roles: user.roles,
    created_at: toTime(user.createdAt),
    updated_at: toTime(user.updatedAt),
    last_login_at: user.lastLoginAt === null ? null : toTime(user.lastLoginAt)
  }
}

function toTime (epochMs: number): string {
  return new Date(epochMs).toISOString()
}

export default routes
