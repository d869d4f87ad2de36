import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'
import { hangUpSignal } from '../../lib/hang-up.ts'
import { slowDown } from '../../lib/throttle/slow-down.ts'
import { sessionContext } from '../data/audit.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Checks the password of the session's user again, before what a stolen token alone must not do.
     * Costs one hash whatever is stored. Resolves to the version of the password.
     *
     * @throws PublicError `wrong_password` (403), which counts like a failed log-in, or `slow_down` (429)
     */
    reauthenticate (request: FastifyRequest, reply: FastifyReply, password: string): Promise<number>
  }
}

export default fp(async (fastify) => {
  const { users, passwordHasher, throttle, audit, db } = fastify

  fastify.decorate('reauthenticate', async (request: FastifyRequest, reply: FastifyReply, password: string) => {
    const { id: userId, username } = request.auth.session.user
    const context = sessionContext(request)
    return await throttle.attempt({ identifier: username, userId, context, signal: hangUpSignal(reply.raw), refusal: slowDown, isLoggedIn: true }, async (attempt) => {
      const found = await users.findForLogin(username)
      // Meanwhile the name may have become another user's.
      const user = found?.id === userId ? found : undefined
      const matches = await passwordHasher.verify(user?.passwordHash ?? null, password, attempt.caller)
      if (user !== undefined && matches) {
        if (attempt.hasFailures) await db.transaction().execute(attempt.succeeded)
        return user.passwordVersion
      }

      const details = { request: `${request.method} ${request.routeOptions.url}` }
      await attempt.failed(async (tx) => {
        await audit.record(tx, { type: 'user_password_changed', outcome: 'failure', userId, details }, context)
      })
      throw new PublicError(403, 'wrong_password', 'The current password is wrong')
    })
  })
}, { name: 'reauthentication', fastify: '5.x', dependencies: ['audit', 'database', 'password-hasher', 'throttle', 'users'] })
