import fp from 'fastify-plugin'
import { holdUser } from '../../lib/database/user-rows.ts'
import { PublicError } from '../../lib/errors.ts'
import type { Email } from '../../lib/identifiers.ts'
import type { Accounts } from './accounts.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { MailLimits } from './mail-limits.ts'
import type { Outbox } from './outbox.ts'
import type { Passwords } from './passwords.ts'

/** A user who has just shown to know the password. */
export interface VerifiedUser {
  id: string
  /** Of the password that was verified: nothing is done once there is another one. */
  passwordVersion: number
}

/**
 * What users do with their own account, each act in one transaction with the mails that follow from it.
 *
 * @throws PublicError `account_changed` (409) if meanwhile another password was set or the user deleted
 */
export interface OwnAccount {
  /** Sets a password and ends all sessions but one. */
  setPassword (user: VerifiedUser, password: { hash: string, exceptSession: string }, context: AuditContext): Promise<void>
  /**
   * Asks for another address, which counts when it is proven; a full name counts at once.
   *
   * @throws ValidationError for a name that can't be one
   * @throws PublicError `slow_down` (429) when the network has asked for too many mails, or the address has had its share
   */
  requestEmail (user: VerifiedUser, email: Email, changes: { fullName?: string | null }, context: AuditContext): Promise<void>
  /** @throws PublicError `last_administrator` (409) */
  remove (user: VerifiedUser, context: AuditContext): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    ownAccount: OwnAccount
  }
}

interface Parts {
  db: Db
  accounts: Accounts
  audit: Audit
  mailLimits: MailLimits
  outbox: Outbox
  passwords: Passwords
}

export function createOwnAccount ({ db, accounts, audit, mailLimits, outbox, passwords }: Parts): OwnAccount {
  /** Resolves to whom mails go. */
  async function holdPassword (tx: Db, { id, passwordVersion }: VerifiedUser): Promise<{ email: string | null, username: string }> {
    const user = await holdUser(tx, 'id', id)
    if (user?.password_version !== passwordVersion) throw accountChanged()
    return user
  }

  return {
    async setPassword ({ id, passwordVersion }, { hash, exceptSession }, context) {
      const isSet = await db.transaction().execute(async (tx) =>
        await passwords.set(tx, { userId: id, hash, insteadOf: passwordVersion, exceptSession }, 'user_password_changed', context))
      if (!isSet) throw accountChanged()
    },

    async requestEmail (user, { address, canonical }, changes, context) {
      await accounts.update(user.id, changes, context, async (tx) => {
        const { email: old, username } = await holdPassword(tx, user)
        await mailLimits.countRequest(tx, context.ip)
        await mailLimits.countMail(tx, 'email_change', canonical)
        await audit.record(tx, { type: 'email_change_requested', outcome: 'success', userId: user.id }, context)
        await outbox.add(tx, { kind: 'email_change', userId: user.id, passwordVersion: user.passwordVersion, insteadOf: old, email: address })
        if (old !== null) await outbox.add(tx, { kind: 'email_change_requested', email: old, username })
      })
    },

    async remove (user, context) {
      await accounts.remove(user.id, context, async (tx) => {
        const { email, username } = await holdPassword(tx, user)
        if (email !== null) await outbox.add(tx, { kind: 'account_deleted', email, username })
      })
    }
  }
}

function accountChanged (): PublicError {
  return new PublicError(409, 'account_changed', 'The account was changed meanwhile: try again')
}

export default fp(async (fastify) => {
  fastify.decorate('ownAccount', createOwnAccount(fastify))
}, { name: 'own-account', fastify: '5.x', dependencies: ['accounts', 'audit', 'database', 'mail-limits', 'outbox', 'passwords'] })
