import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'
import { parseEmail } from '../../lib/identifiers.ts'
import type { User } from '../../lib/user.ts'
import type { ChangeGuard } from './accounts.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { MailLimits } from './mail-limits.ts'
import type { Outbox } from './outbox.ts'
import type { NewUser, Users } from './users.ts'

/** What administrators start and users finish: nobody chooses a password for somebody else. */
export interface UserAdministration {
  /**
   * Makes a user without a password, who gets a mail to choose one.
   *
   * @throws as `users.create` does, and PublicError `slow_down` (429) when the address has had its share of mails
   */
  invite (user: Omit<NewUser, 'passwordHash'> & { email: string }, context: AuditContext, guard: ChangeGuard): Promise<User>
  /**
   * The user gets a mail to choose a new password; until then the old one is good.
   *
   * @param guard throws if there is no such user
   * @throws PublicError `user_disabled` or `no_email` (409), or `slow_down` (429) when the address has had its share of mails
   */
  requestPasswordReset (id: string, context: AuditContext, guard: ChangeGuard): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    userAdministration: UserAdministration
  }
}

interface Parts {
  db: Db
  audit: Audit
  mailLimits: MailLimits
  outbox: Outbox
  users: Users
}

export function createUserAdministration ({ db, audit, mailLimits, outbox, users }: Parts): UserAdministration {
  return {
    async invite (user, context, guard) {
      return await users.create(user, context, async (tx, id) => {
        await guard(tx)
        await mailLimits.countMail(tx, 'invitation', parseEmail(user.email).canonical)
        await outbox.add(tx, { kind: 'invitation', userId: id })
      })
    },

    async requestPasswordReset (id, context, guard) {
      await db.transaction().execute(async (tx) => {
        await guard(tx)
        const { email_key: address, disabled_at: disabledAt } = await tx.selectFrom('users').select(['email_key', 'disabled_at']).where('id', '=', id).executeTakeFirstOrThrow()
        if (disabledAt !== null) throw new PublicError(409, 'user_disabled', 'The user is disabled, and gets no link before that ends')
        if (address === null) throw new PublicError(409, 'no_email', 'The user has no e-mail address that a link could be sent to')
        await mailLimits.countMail(tx, 'password_reset_by_admin', address)
        await outbox.add(tx, { kind: 'password_reset_by_admin', userId: id })
        await audit.record(tx, { type: 'password_reset_requested', outcome: 'success', userId: id }, context)
      })
    }
  }
}

export default fp(async (fastify) => {
  fastify.decorate('userAdministration', createUserAdministration(fastify))
}, { name: 'user-administration', fastify: '5.x', dependencies: ['audit', 'database', 'mail-limits', 'outbox', 'users'] })
