import fp from 'fastify-plugin'
import { isUniqueViolation } from '../../lib/database/errors.ts'
import { endSessions } from '../../lib/database/user-sessions.ts'
import { PublicError } from '../../lib/errors.ts'
import { parseEmail, type Email } from '../../lib/identifiers.ts'
import { networkOf } from '../../lib/network.ts'
import type { PasswordOwner } from '../../lib/password-policy.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { KnownNetworks } from './known-networks.ts'
import type { MailLimits } from './mail-limits.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import type { Outbox } from './outbox.ts'
import type { Passwords } from './passwords.ts'
import type { Throttles } from './throttles.ts'

/** What is done with mailed links. All that is wrong with one is `invalid_token` (400), always in the same words. */
export interface Recovery {
  /**
   * Owes the address a mail, whoever has it, unless it has had its share.
   *
   * @throws PublicError `slow_down` (429) when the network has asked for too many
   */
  requestPasswordReset (email: Email, context: AuditContext): Promise<void>
  /** The same for a mail that proves the address. */
  requestEmailVerification (email: Email, context: AuditContext): Promise<void>
  /** Whose password the token would set; does not use it up. */
  findPasswordOwner (token: string): Promise<PasswordOwner>
  /**
   * Uses the token up; the address that it was mailed to counts as proven. The network becomes one that the user logs in
   * from, and failures are forgotten: whatever strangers do, its owner can use the account again.
   */
  resetPassword (token: string, hash: string, context: AuditContext): Promise<void>
  /**
   * Uses the token up; the address that it was mailed to is the user's from now on. The account may be the work of
   * somebody else, who signed up with the address: it gets a mail to take the account over, and if this is the first
   * address that the user has proven, all sessions end.
   */
  verifyEmail (token: string, context: AuditContext): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    recovery: Recovery
  }
}

interface Parts {
  db: Db
  audit: Audit
  knownNetworks: KnownNetworks
  mailLimits: MailLimits
  oneTimeTokens: OneTimeTokens
  outbox: Outbox
  passwords: Passwords
  throttles: Throttles
}

export function createRecovery ({ db, audit, knownNetworks, mailLimits, oneTimeTokens, outbox, passwords, throttles }: Parts, { now }: { now: () => number }): Recovery {
  async function proveOwnAddress (tx: Db, userId: string, email: string, context: AuditContext): Promise<void> {
    const { numUpdatedRows } = await tx.updateTable('users').set({ email_verified_at: now() })
      .where('id', '=', userId).where('email', '=', email).where('email_verified_at', 'is', null).executeTakeFirst()
    if (numUpdatedRows === 1n) await recordVerified(tx, userId, 'confirmed', context)
  }

  async function recordVerified (tx: Db, userId: string, address: 'confirmed' | 'replaced', context: AuditContext): Promise<void> {
    await audit.record(tx, { type: 'email_verified', outcome: 'success', userId, details: { address } }, context)
  }

  return {
    async requestPasswordReset (email, context) {
      await mailLimits.check(context.ip)
      await db.transaction().execute(async (tx) => {
        await mailLimits.owe(tx, 'password_reset', email, context.ip)
        await audit.record(tx, { type: 'password_reset_requested', outcome: 'success' }, context)
      })
    },

    async requestEmailVerification (email, context) {
      await mailLimits.check(context.ip)
      await db.transaction().execute(async (tx) => {
        await mailLimits.owe(tx, 'email_verification', email, context.ip)
        await audit.record(tx, { type: 'email_verification_requested', outcome: 'success' }, context)
      })
    },

    async findPasswordOwner (token) {
      const subject = await oneTimeTokens.find(db, 'password_reset', token) ?? await oneTimeTokens.find(db, 'invitation', token)
      if (subject === undefined) throw invalidLink()
      const owner = await db.selectFrom('users').select(['username', 'email'])
        .where('id', '=', subject.userId).where('password_version', '=', subject.passwordVersion).executeTakeFirst()
      if (owner === undefined) throw invalidLink()
      return owner
    },

    async resetPassword (token, hash, context) {
      await db.transaction().execute(async (tx) => {
        const subject = await oneTimeTokens.take(tx, 'password_reset', token) ?? await oneTimeTokens.take(tx, 'invitation', token)
        if (subject === undefined) throw invalidLink()
        const { userId, email, passwordVersion } = subject
        const isSet = await passwords.set(tx, { userId, hash, insteadOf: passwordVersion }, 'user_password_reset', context)
        if (!isSet) throw invalidLink()
        if (email !== null) await proveOwnAddress(tx, userId, email, context)
        await throttles.forgetUser(tx, userId)
        await knownNetworks.add(tx, userId, networkOf(context.ip))
      })
    },

    async verifyEmail (token, context) {
      try {
        await db.transaction().execute(async (tx) => {
          const subject = await oneTimeTokens.take(tx, 'email_verification', token) ?? await oneTimeTokens.take(tx, 'email_change', token)
          if (subject === undefined || subject.email === null) throw invalidLink()
          const { userId, passwordVersion } = subject
          const { address, canonical } = parseEmail(subject.email)
          const before = await tx.selectFrom('users').select(['username', 'email', 'email_key', 'email_verified_at']).where('id', '=', userId).executeTakeFirstOrThrow()
          const { numUpdatedRows } = await tx.updateTable('users')
            .set({ email: address, email_key: canonical, email_verified_at: now(), updated_at: now() })
            .where('id', '=', userId).where('password_version', '=', passwordVersion).executeTakeFirst()
          if (numUpdatedRows === 0n) throw invalidLink()
          await oneTimeTokens.revoke(tx, userId)
          if (before.email_verified_at === null) await endSessions(tx, userId, now())
          const isReplaced = before.email_key !== canonical
          if (isReplaced && before.email !== null) await outbox.add(tx, { kind: 'email_changed', email: before.email, username: before.username })
          await outbox.add(tx, { kind: 'email_confirmed', userId, email: address })
          await recordVerified(tx, userId, isReplaced ? 'replaced' : 'confirmed', context)
        })
      } catch (error) {
        throw isUniqueViolation(error) ? invalidLink() : error
      }
    }
  }
}

function invalidLink (): PublicError {
  return new PublicError(400, 'invalid_token', 'The link is not valid any more; ask for a new one')
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('recovery', createRecovery(fastify, { now: () => clock.now() }))
}, { name: 'recovery', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'known-networks', 'mail-limits', 'one-time-tokens', 'outbox', 'passwords', 'throttles'] })
