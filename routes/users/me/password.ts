import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { hangUpSignal } from '../../../lib/hang-up.ts'
import { networkOf } from '../../../lib/network.ts'
import { sessionContext } from '../../../plugins/data/audit.ts'
import { PasswordChangeSchema } from '../../../schemas/account.ts'
import { ProblemSchema } from '../../../schemas/errors.ts'
import { FAILURES, WITH_PASSWORD } from '../../../schemas/failures.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { ownAccount, passwordHasher, passwordPolicy } = fastify

  fastify.put('/password', {
    config: { scopes: ['account'] },
    schema: {
      operationId: 'changeOwnPassword',
      summary: 'Change your own password',
      description: 'Ends every other session and makes mailed links void; the session of this request goes on with its tokens. The e-mail address is told.',
      tags: ['Account'],
      body: PasswordChangeSchema,
      response: {
        204: Type.Null({ description: 'The new password counts' }),
        400: { description: 'The message says what to change of the new password: `weak_password`. Or what was sent is not acceptable: `validation_failed`', ...ProblemSchema },
        409: { description: 'Meanwhile another password was set: `account_changed`', ...ProblemSchema },
        ...WITH_PASSWORD,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { current_password: currentPassword, new_password: newPassword } = request.body
    const { id: sessionId, user } = request.auth.session

    const password = await passwordPolicy.check(newPassword, user)
    const passwordVersion = await fastify.reauthenticate(request, reply, currentPassword)
    const hash = await passwordHasher.hash(password, { network: networkOf(request.ip), isKnown: true, signal: hangUpSignal(reply.raw) })
    await ownAccount.setPassword({ id: user.id, passwordVersion }, { hash, exceptSession: sessionId }, sessionContext(request))
    return await reply.code(204).send(null)
  })
}

export default routes
