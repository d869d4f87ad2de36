import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'
import type { User } from '../../lib/user.ts'
import type { ChangeGuard } from './accounts.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { Outbox } from './outbox.ts'
import type { NewUser, Users } from './users.ts'

/** What administrators start and users finish: nobody chooses a password for somebody else. */
export interface UserAdministration {
  /**
   * Makes a user without a password, who gets a mail to choose one.
   *
   * @throws as `users.create` does
   */
  invite (user: Omit<NewUser, 'passwordHash'> & { email: string }, context: AuditContext, guard: ChangeGuard): Promise<User>
  /**
   * The user gets a mail to choose a new password; until then the old one is good.
   *
   * @param guard throws if there is no such user
   * @throws PublicError `no_email` (409)
   */
  requestPasswordReset (id: string, context: AuditContext, guard: ChangeGuard): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    userAdministration: UserAdministration
  }
}

export function createUserAdministration ({ db, audit, outbox, users }: { db: Db, audit: Audit, outbox: Outbox, users: Users }): UserAdministration {
  return {
    async invite (user, context, guard) {
      return await users.create(user, context, async (tx, id) => {
        await guard(tx)
        await outbox.add(tx, { kind: 'invitation', userId: id })
      })
    },

    async requestPasswordReset (id, context, guard) {
      await db.transaction().execute(async (tx) => {
        await guard(tx)
        const { email } = await tx.selectFrom('users').select('email').where('id', '=', id).executeTakeFirstOrThrow()
        if (email === null) throw new PublicError(409, 'no_email', 'The user has no e-mail address that a link could be sent to')
        await outbox.add(tx, { kind: 'password_reset_by_admin', userId: id })
        await audit.record(tx, { type: 'password_reset_requested', outcome: 'success', userId: id }, context)
      })
    }
  }
}

export default fp(async (fastify) => {
  fastify.decorate('userAdministration', createUserAdministration(fastify))
}, { name: 'user-administration', fastify: '5.x', dependencies: ['audit', 'database', 'outbox', 'users'] })
