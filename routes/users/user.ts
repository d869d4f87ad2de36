import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { notFound, PublicError } from '../../lib/errors.ts'
import { toUserBody } from '../../lib/user.ts'
import { isUuid } from '../../lib/uuid.ts'
import type { ChangeGuard } from '../../plugins/data/accounts.ts'
import { sessionContext } from '../../plugins/data/audit.ts'
import { actorOf } from '../../plugins/data/permissions.ts'
import { ProblemSchema } from '../../schemas/errors.ts'
import { BEYOND_OWN_SCOPES, ENOUGH_MAILS, FAILURES } from '../../schemas/failures.ts'
import { AcceptedSchema } from '../../schemas/recovery.ts'
import { UserChangeSchema, UserParamsSchema, UserSchema, type UserBody } from '../../schemas/users.ts'

const NO_SUCH_USER = { description: 'There is no such user: `not_found`', ...ProblemSchema }

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { accounts, permissions, throttleAdministration, userAdministration, userDirectory } = fastify

  /** Who sends the request may change the user, who is there. */
  function overUser (request: FastifyRequest, id: string): ChangeGuard {
    const requireUser = userDirectory.require(id)
    const requirePower = permissions.over(actorOf(request), id)
    return async (tx) => {
      await requireUser(tx)
      await requirePower(tx)
    }
  }

  /** What a stolen token alone must not do takes the current password, at `/users/me`. */
  function refuseOwn (request: FastifyRequest): void {
    const { id } = request.params as { id: string }
    if (id === request.auth.session.user.id) throw new PublicError(409, 'own_account', 'Use /users/me to change your own address or to delete your account')
  }

  async function readUser (id: string): Promise<UserBody> {
    const user = isUuid(id) ? await userDirectory.find(id) : undefined
    if (user === undefined) throw notFound()
    return toUserBody(user)
  }

  fastify.get('/:id', {
    config: { scopes: ['users:read'] },
    schema: {
      operationId: 'readUser',
      summary: 'A user',
      description: 'A user as he is now.',
      tags: ['Administration'],
      params: UserParamsSchema,
      response: { 200: { description: 'The user', ...UserSchema }, 404: NO_SUCH_USER, ...FAILURES }
    }
  }, async (request) => await readUser(request.params.id))

  fastify.patch('/:id', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'changeUser',
      summary: 'Change a user',
      description: 'Changes what is sent, all or nothing, and leaves the rest. Disabling ends the sessions; roles count at once in those that are open. Another address is not proven, and the old one is told; it, disabling and a role that allows more make mailed links void. You need all scopes that the user holds, and all of the roles that you give; the answer shows the user even without `users:read`.',
      tags: ['Administration'],
      params: UserParamsSchema,
      body: UserChangeSchema,
      response: {
        200: { description: 'The user after the change', ...UserSchema },
        400: { description: 'What was sent is not acceptable: `validation_failed`, or `unknown_role`', ...ProblemSchema },
        403: BEYOND_OWN_SCOPES,
        404: NO_SUCH_USER,
        409: { description: 'The user is the last administrator: `last_administrator`. Or the address belongs to another user: `email_taken`. Or you are the user, whose address takes the current password at `/users/me`: `own_account`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request) => {
    const { id } = request.params
    const { email, full_name: fullName, disabled, roles } = request.body
    if (email !== undefined) refuseOwn(request)
    const requireTarget = overUser(request, id)
    const requireGift = permissions.toGive(actorOf(request), roles ?? [])

    await accounts.update(id, {
      ...email !== undefined && { email },
      ...fullName !== undefined && { fullName },
      ...disabled !== undefined && { disabled },
      ...roles !== undefined && { roles }
    }, sessionContext(request), async (tx) => {
      await requireTarget(tx)
      await requireGift(tx)
    })
    return await readUser(id)
  })

  fastify.delete('/:id', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'deleteUser',
      summary: 'Delete a user',
      description: 'Deletes the user for good, with all sessions. You need all scopes that the user holds.',
      tags: ['Administration'],
      params: UserParamsSchema,
      response: {
        204: Type.Null({ description: 'The user is gone' }),
        403: BEYOND_OWN_SCOPES,
        404: NO_SUCH_USER,
        409: { description: 'The user is the last administrator: `last_administrator`. Or you are the user, which takes the current password at `/users/me`: `own_account`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { id } = request.params
    refuseOwn(request)
    await accounts.remove(id, sessionContext(request), overUser(request, id))
    return await reply.code(204).send(null)
  })

  fastify.delete('/:id/sessions', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'endUserSessions',
      summary: 'Log a user out everywhere',
      description: 'Ends all sessions of the user, at once and with all their tokens. You need all scopes that the user holds.',
      tags: ['Administration'],
      params: UserParamsSchema,
      response: {
        204: Type.Null({ description: 'The user has no sessions' }),
        403: BEYOND_OWN_SCOPES,
        404: NO_SUCH_USER,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { id } = request.params
    await accounts.logout(id, sessionContext(request), { guard: overUser(request, id) })
    return await reply.code(204).send(null)
  })

  fastify.delete('/:id/throttles', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'clearUserThrottles',
      summary: 'Let a user try again at once',
      description: 'Forgets all failures that were counted about the user, wherever they came from and however the name or the address was written, and the mails to his address. You need all scopes that the user holds.',
      tags: ['Administration'],
      params: UserParamsSchema,
      response: {
        204: Type.Null({ description: 'Nothing is counted about the user' }),
        403: BEYOND_OWN_SCOPES,
        404: NO_SUCH_USER,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { id } = request.params
    await throttleAdministration.clearUser(id, sessionContext(request), overUser(request, id))
    return await reply.code(204).send(null)
  })

  fastify.post('/:id/password-reset', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'startPasswordReset',
      summary: 'Let a user choose a new password',
      description: 'Mails the user a link to choose a new password; the link is good for 30 minutes, and until it is used the old password is. Nobody chooses a password for somebody else. A disabled user gets no mail. You need all scopes that the user holds.',
      tags: ['Administration'],
      params: UserParamsSchema,
      response: {
        202: { description: 'A mail is on its way', ...AcceptedSchema },
        403: BEYOND_OWN_SCOPES,
        404: NO_SUCH_USER,
        409: { description: 'The user has no e-mail address: `no_email`. Or is disabled: `user_disabled`', ...ProblemSchema },
        429: ENOUGH_MAILS,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { id } = request.params
    await userAdministration.requestPasswordReset(id, sessionContext(request), overUser(request, id))
    return await reply.code(202).send({})
  })
}

export default routes
