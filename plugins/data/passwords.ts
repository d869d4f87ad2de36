import fp from 'fastify-plugin'
import type { AuditEventType } from '../../lib/audit-events.ts'
import { endSessions } from '../../lib/database/user-sessions.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import type { Outbox } from './outbox.ts'

export interface NewPassword {
  userId: string
  hash: string
  /** The version of the password that the caller has seen; nothing happens if another was set meanwhile. */
  insteadOf?: number
  /** The session that goes on; all others end. */
  exceptSession?: string
}

export interface Passwords {
  /**
   * Sets a password, ends sessions, makes mailed links void and tells the user by mail, all in `tx`.
   * Resolves to false if another password was set meanwhile, or the user is gone.
   *
   * @param type of the audit event
   */
  set (tx: Db, password: NewPassword, type: AuditEventType, context: AuditContext): Promise<boolean>
  /** Replaces a hash by one of the same password; does nothing if another is stored meanwhile. */
  upgradeHash (userId: string, from: string, to: string): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    passwords: Passwords
  }
}

interface Parts {
  db: Db
  audit: Audit
  oneTimeTokens: OneTimeTokens
  outbox: Outbox
}

export function createPasswords ({ db, audit, oneTimeTokens, outbox }: Parts, { now }: { now: () => number }): Passwords {
  return {
    async set (tx, { userId, hash, insteadOf, exceptSession }, type, context) {
      let update = tx.updateTable('users')
        .set(({ eb }) => ({ password_hash: hash, password_version: eb('password_version', '+', 1), demo_at: null, updated_at: now() }))
        .where('id', '=', userId)
      if (insteadOf !== undefined) update = update.where('password_version', '=', insteadOf)
      const user = await update.returning(['username', 'email']).executeTakeFirst()
      if (user === undefined) return false
      const sessions = await endSessions(tx, userId, now(), exceptSession)
      await oneTimeTokens.revoke(tx, userId)
      await audit.record(tx, { type, outcome: 'success', userId, details: { sessions } }, context)
      if (user.email !== null) await outbox.add(tx, { kind: 'password_changed', email: user.email, username: user.username })
      return true
    },

    async upgradeHash (userId, from, to) {
      await db.updateTable('users').set({ password_hash: to }).where('id', '=', userId).where('password_hash', '=', from).execute()
    }
  }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('passwords', createPasswords(fastify, { now: () => clock.now() }))
}, { name: 'passwords', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'one-time-tokens', 'outbox'] })
