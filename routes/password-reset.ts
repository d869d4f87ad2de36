import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { hangUpSignal } from '../lib/hang-up.ts'
import { parseEmail } from '../lib/identifiers.ts'
import { networkOf } from '../lib/network.ts'
import { auditContext } from '../plugins/data/audit.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { FAILURES, NETWORK_HAD_MAILS, SLOW_DOWN } from '../schemas/failures.ts'
import { RETRY_AFTER } from '../schemas/headers.ts'
import { AcceptedSchema, MailRequestSchema, PasswordResetSchema } from '../schemas/recovery.ts'
import { NoQuerySchema } from '../schemas/token.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { mailedLinks, passwordHasher, passwordPolicy, recovery } = fastify

  fastify.post('/password-reset', {
    config: { public: true },
    schema: {
      operationId: 'requestPasswordReset',
      summary: 'Ask for the mail with a link for a new password',
      description: 'Whoever has the address gets a link, good for 30 minutes; earlier ones are void. There are at most three mails to an address within an hour. The answer is the same for every address, and nothing changes until the link is used.',
      tags: ['Sign-up and recovery'],
      security: [],
      querystring: NoQuerySchema,
      body: MailRequestSchema,
      response: {
        202: { description: 'If the address has a user, a mail is on its way', ...AcceptedSchema },
        400: { description: '`validation_failed`: this is no e-mail address', ...ProblemSchema },
        429: NETWORK_HAD_MAILS,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    await recovery.requestPasswordReset(parseEmail(request.body.email), auditContext(request))
    return await reply.code(202).send({})
  })

  fastify.put('/password-reset', {
    config: { public: true },
    schema: {
      operationId: 'resetPassword',
      summary: 'Choose a password with the mailed link',
      description: 'Ends all sessions, makes every other mailed link void and proves the address that the link was mailed to. A password that is refused does not use the link up.',
      tags: ['Sign-up and recovery'],
      security: [],
      querystring: NoQuerySchema,
      body: PasswordResetSchema,
      response: {
        204: Type.Null({ description: 'This is the password now; log in with it' }),
        400: { description: '`invalid_token`: the link is unknown, was used, is too old or void. `weak_password`: the message says what to change', ...ProblemSchema },
        429: SLOW_DOWN,
        503: { description: 'Too many passwords at a time, or no database: `temporarily_unavailable`; the link is still good, try again after `Retry-After` seconds', headers: RETRY_AFTER, ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { token, new_password: newPassword } = request.body
    const context = auditContext(request)
    await mailedLinks.use(context, async () => {
      const owner = await recovery.findPasswordOwner(token)
      const password = await passwordPolicy.check(newPassword, owner)
      // Who holds the link may be the owner, whom strangers keep from logging in.
      const hash = await passwordHasher.hash(password, { network: networkOf(request.ip), isKnown: true, signal: hangUpSignal(reply.raw) })
      await recovery.resetPassword(token, hash, context)
    })
    return await reply.code(204).send(null)
  })
}

export default routes
