import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { hangUpSignal } from '../lib/hang-up.ts'
import { parseEmail, parseFullName, parseUsername } from '../lib/identifiers.ts'
import { networkOf } from '../lib/network.ts'
import { auditContext } from '../plugins/data/audit.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { FAILURES, NETWORK_HAD_MAILS } from '../schemas/failures.ts'
import { RETRY_AFTER } from '../schemas/headers.ts'
import { AcceptedSchema } from '../schemas/recovery.ts'
import { SignUpSchema } from '../schemas/signup.ts'
import { NoQuerySchema } from '../schemas/token.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { config, mailLimits, passwordHasher, passwordPolicy, registration } = fastify
  if (config.registration !== 'open') return

  fastify.post('/signup', {
    config: { public: true },
    schema: {
      operationId: 'signUp',
      summary: 'Sign up',
      description: 'Makes a user with the role `user` and mails a link that proves the address. If the address has a user already, nobody is made, the mail says so, and the answer is the same. Only there with `REGISTRATION=open`.',
      tags: ['Sign-up and recovery'],
      security: [],
      querystring: NoQuerySchema,
      body: SignUpSchema,
      response: {
        202: { description: 'A mail is on its way', ...AcceptedSchema },
        400: { description: '`validation_failed`, or `weak_password`; the message says what to change', ...ProblemSchema },
        409: { description: '`username_taken`', ...ProblemSchema },
        429: NETWORK_HAD_MAILS,
        503: { description: 'Too many passwords at a time, or no database: `temporarily_unavailable`; try again after `Retry-After` seconds', headers: RETRY_AFTER, ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { body } = request
    const username = parseUsername(body.username)
    const email = parseEmail(body.email)
    const fullName = body.full_name == null ? null : parseFullName(body.full_name)
    const password = await passwordPolicy.check(body.password, { username, email: email.address })

    await mailLimits.check(request.ip)

    // Before anything is known of the name and the address, so that it costs the same for all.
    const passwordHash = await passwordHasher.hash(password, { network: networkOf(request.ip), isKnown: false, signal: hangUpSignal(reply.raw) })
    await registration.signUp({ username, email, fullName, passwordHash }, auditContext(request))
    return await reply.code(202).send({})
  })
}

export default routes
