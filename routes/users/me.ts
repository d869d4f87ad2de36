import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { notFound, ValidationError } from '../../lib/errors.ts'
import { parseEmail } from '../../lib/identifiers.ts'
import { toUserBody } from '../../lib/user.ts'
import { sessionContext } from '../../plugins/data/audit.ts'
import { AccountRemovalSchema, ProfileChangeSchema } from '../../schemas/account.ts'
import { ProblemSchema } from '../../schemas/errors.ts'
import { FAILURES, NOT_ACCEPTABLE, WITH_PASSWORD } from '../../schemas/failures.ts'
import { UserSchema } from '../../schemas/users.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { accounts, ownAccount, sessions } = fastify

  fastify.get('/me', {
    config: { scopes: ['profile'] },
    schema: {
      operationId: 'readOwnProfile',
      summary: 'Your own profile',
      description: 'The user to whom the access token was given, as he is now: a change or the end of the session shows at once.',
      tags: ['Users'],
      response: { 200: { description: 'The user', ...UserSchema }, ...FAILURES }
    }
  }, async (request) => toUserBody(request.auth.session.user))

  fastify.patch('/me', {
    config: { scopes: ['account'] },
    schema: {
      operationId: 'changeOwnProfile',
      summary: 'Change your own profile',
      description: 'Changes what is sent and leaves the rest. A full name counts at once. A new e-mail address counts only when the link was used that is mailed to it, and the old address is told; until then, and if the address belongs to somebody else, the answer shows the old one.',
      tags: ['Account'],
      body: ProfileChangeSchema,
      response: {
        200: { description: 'The user as he is now', ...UserSchema },
        409: { description: 'Meanwhile another password was set: `account_changed`', ...ProblemSchema },
        400: NOT_ACCEPTABLE,
        ...WITH_PASSWORD,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { full_name: fullName, email, current_password: password } = request.body
    const { id: sessionId, user: { id } } = request.auth.session
    const context = sessionContext(request)
    const changes = fullName === undefined ? {} : { fullName }

    if (email === undefined) {
      await accounts.update(id, changes, context)
    } else {
      const address = parseEmail(email)
      if (password === undefined) throw new ValidationError('Send your current_password with a new email')
      const passwordVersion = await fastify.reauthenticate(request, reply, password)
      await ownAccount.requestEmail({ id, passwordVersion }, address, changes, context)
    }

    const session = await sessions.findLive(sessionId)
    if (session === undefined) throw notFound()
    return toUserBody(session.user)
  })

  fastify.delete('/me', {
    config: { scopes: ['account'] },
    schema: {
      operationId: 'deleteOwnAccount',
      summary: 'Delete your own account',
      description: 'Deletes the user for good, with all sessions. The e-mail address is told.',
      tags: ['Account'],
      body: AccountRemovalSchema,
      response: {
        204: Type.Null({ description: 'The account is gone' }),
        409: { description: 'You are the last administrator: `last_administrator`. Or meanwhile another password was set: `account_changed`', ...ProblemSchema },
        400: NOT_ACCEPTABLE,
        ...WITH_PASSWORD,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { id } = request.auth.session.user
    const passwordVersion = await fastify.reauthenticate(request, reply, request.body.current_password)
    await ownAccount.remove({ id, passwordVersion }, sessionContext(request))
    return await reply.code(204).send(null)
  })
}

export default routes
