import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { formatCursor, parseCursor } from '../../lib/cursor.ts'
import { ValidationError } from '../../lib/errors.ts'
import { readLimit } from '../../lib/page.ts'
import { toUserBody } from '../../lib/user.ts'
import { sessionContext } from '../../plugins/data/audit.ts'
import { actorOf } from '../../plugins/data/permissions.ts'
import type { DirectoryPosition } from '../../plugins/data/user-directory.ts'
import { ProblemSchema } from '../../schemas/errors.ts'
import { BEYOND_OWN_SCOPES, ENOUGH_MAILS, FAILURES, NOT_ACCEPTABLE } from '../../schemas/failures.ts'
import { DEFAULT_LIMIT } from '../../schemas/page.ts'
import { NewUserSchema, UserPageSchema, UserSchema, UsersQuerySchema } from '../../schemas/users.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { permissions, userAdministration, userDirectory } = fastify

  fastify.get('', {
    config: { scopes: ['users:read'] },
    preValidation: readLimit,
    schema: {
      operationId: 'listUsers',
      summary: 'List or find users',
      description: 'All users by username, or those whose username begins with `q` and after them those of whom only the e-mail address does. A page can hold fewer than `limit`, even none, while more follow: go on until `next_cursor` is null.',
      tags: ['Administration'],
      querystring: UsersQuerySchema,
      response: {
        200: { description: 'A page of users', ...UserPageSchema },
        400: NOT_ACCEPTABLE,
        ...FAILURES
      }
    }
  }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor, q: search = '' } = request.query
    const { users, next } = await userDirectory.list({ search, limit, ...cursor !== undefined && { start: parsePosition(cursor) } })
    return { items: users.map(toUserBody), next_cursor: next === null ? null : formatCursor([next.foundBy, next.key]) }
  })

  fastify.post('', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'createUser',
      summary: 'Invite a user',
      description: 'Makes a user without a password, who gets a mail with a link to choose one; the link is good for seven days. You can only give roles all of whose scopes you hold.',
      tags: ['Administration'],
      body: NewUserSchema,
      response: {
        201: { description: 'The user', ...UserSchema },
        400: { description: 'What was sent is not acceptable: `validation_failed`, or `unknown_role`', ...ProblemSchema },
        403: BEYOND_OWN_SCOPES,
        409: { description: 'The name or the address belongs to another user: `username_taken`, `email_taken`', ...ProblemSchema },
        429: ENOUGH_MAILS,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { username, email, full_name: fullName = null, roles = [] } = request.body
    const user = await userAdministration.invite(
      { username, email, roles, ...fullName !== null && { fullName } },
      sessionContext(request),
      permissions.toGive(actorOf(request), roles)
    )
    return await reply.code(201).send(toUserBody(user))
  })
}

function parsePosition (cursor: string): DirectoryPosition {
  const [foundBy, key] = parseCursor(cursor, ['string', 'string'])
  if (foundBy !== 'username' && foundBy !== 'email') throw new ValidationError('The cursor is not valid: begin again without one')
  return { foundBy, key }
}

export default routes
