import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'
import { sessionContext } from '../data/audit.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Checks the password of the session's user again, before what a stolen token alone must not do.
     * Costs one hash whatever is stored. Resolves to the version of the password.
     *
     * @throws PublicError `wrong_password` (403)
     */
    reauthenticate (request: FastifyRequest, password: string): Promise<number>
  }
}

export default fp(async (fastify) => {
  const { users, passwordHasher, audit, db } = fastify

  fastify.decorate('reauthenticate', async (request: FastifyRequest, password: string) => {
    const { id: userId, username } = request.auth.session.user
    const found = await users.findForLogin(username)
    // Meanwhile the name may have become another user's.
    const user = found?.id === userId ? found : undefined
    const matches = await passwordHasher.verify(user?.passwordHash ?? null, password)
    if (user !== undefined && matches) return user.passwordVersion

    const details = { request: `${request.method} ${request.routeOptions.url}` }
    await audit.record(db, { type: 'user_password_changed', outcome: 'failure', userId, details }, sessionContext(request))
    throw new PublicError(403, 'wrong_password', 'The current password is wrong')
  })
}, { name: 'reauthentication', fastify: '5.x', dependencies: ['audit', 'database', 'password-hasher', 'users'] })
