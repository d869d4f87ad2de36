import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { parseEmail } from '../lib/identifiers.ts'
import { auditContext } from '../plugins/data/audit.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { FAILURES, NETWORK_HAD_MAILS, SLOW_DOWN } from '../schemas/failures.ts'
import { AcceptedSchema, EmailVerificationSchema, MailRequestSchema } from '../schemas/recovery.ts'
import { NoQuerySchema } from '../schemas/token.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { mailedLinks, recovery } = fastify

  fastify.post('/email-verification', {
    config: { public: true },
    schema: {
      operationId: 'requestEmailVerification',
      summary: 'Ask for the mail that proves an address',
      description: 'Whoever signed up with the address and has not proven it yet gets a new link, good for 24 hours; earlier ones are void. There are at most three mails to an address within an hour, the last of which is kept for a link for a new password. The answer is the same for every address.',
      tags: ['Sign-up and recovery'],
      security: [],
      querystring: NoQuerySchema,
      body: MailRequestSchema,
      response: {
        202: { description: 'If the address waits for its proof, a mail is on its way', ...AcceptedSchema },
        400: { description: '`validation_failed`: this is no e-mail address', ...ProblemSchema },
        429: NETWORK_HAD_MAILS,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    await recovery.requestEmailVerification(parseEmail(request.body.email), auditContext(request))
    return await reply.code(202).send({})
  })

  fastify.put('/email-verification', {
    config: { public: true },
    schema: {
      operationId: 'verifyEmail',
      summary: 'Prove an address with the mailed link',
      description: 'The address that the link was mailed to is the user\'s from now on. If he had another one, that is told by mail.',
      tags: ['Sign-up and recovery'],
      security: [],
      querystring: NoQuerySchema,
      body: EmailVerificationSchema,
      response: {
        204: Type.Null({ description: 'The address is proven' }),
        400: { description: '`invalid_token`: the link is unknown, was used, is too old or void, or the address is another user\'s meanwhile', ...ProblemSchema },
        429: SLOW_DOWN,
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const context = auditContext(request)
    await mailedLinks.use(context, async () => { await recovery.verifyEmail(request.body.token, context) })
    return await reply.code(204).send(null)
  })
}

export default routes
