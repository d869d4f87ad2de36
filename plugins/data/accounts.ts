import fp from 'fastify-plugin'
import { keepAdministrator } from '../../lib/database/administrators.ts'
import { endSessions } from '../../lib/database/user-sessions.ts'
import { requireRoles, scopesOfRoles, translateConflict } from '../../lib/database/user-rows.ts'
import { parseEmail, parseFullName } from '../../lib/identifiers.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import type { Outbox } from './outbox.ts'

/** What may be changed of a user; what is left out stays. */
export interface UserChanges {
  /** Null takes it away. */
  fullName?: string | null
  /** A new address is not proven. Null takes it away. */
  email?: string | null
  /** Ends the sessions too. */
  disabled?: boolean
  /** All but `user`, which everybody has. */
  roles?: readonly string[]
}

/** Runs in the transaction of a change, before it: does what belongs to it, or throws to prevent it. */
export type ChangeGuard = (tx: Db) => Promise<void>

/** What happens to users that are there, each act in one transaction with all that follows from it. */
export interface Accounts {
  /**
   * Resolves to false when there is no such user, or nothing to change.
   *
   * @throws ValidationError for a name or address that can't be one
   * @throws PublicError `email_taken` (409), `unknown_role` (400), `last_administrator` (409)
   */
  update (id: string, changes: UserChanges, context: AuditContext, guard?: ChangeGuard): Promise<boolean>
  /**
   * Resolves to false when there is no such user.
   *
   * @throws PublicError `last_administrator` (409)
   */
  remove (id: string, context: AuditContext, guard?: ChangeGuard): Promise<boolean>
  /** Ends all sessions of the user but one; resolves to how many there were. */
  logout (id: string, context: AuditContext, options?: { exceptSession?: string, guard?: ChangeGuard }): Promise<number>
}

declare module 'fastify' {
  interface FastifyInstance {
    accounts: Accounts
  }
}

const NOBODY_OBJECTS: ChangeGuard = async () => {}

const doAnyway: typeof keepAdministrator = async (_tx, work) => await work()

interface Parts {
  db: Db
  audit: Audit
  oneTimeTokens: OneTimeTokens
  outbox: Outbox
}

export function createAccounts ({ db, audit, oneTimeTokens, outbox }: Parts, { now }: { now: () => number }): Accounts {
  async function updateProfile (tx: Db, id: string, { fullName, email }: UserChanges, context: AuditContext): Promise<boolean> {
    const before = await tx.selectFrom('users').select(['username', 'email']).where('id', '=', id).executeTakeFirst()
    const wanted = typeof email === 'string' ? parseEmail(email) : email
    const address = wanted?.address === before?.email ? undefined : wanted // the same one stays proven
    const set = {
      ...(fullName !== undefined && { full_name: fullName === null ? null : parseFullName(fullName) }),
      ...(address !== undefined && { email: address?.address ?? null, email_key: address?.canonical ?? null, email_verified_at: null })
    }
    const members = [...(fullName === undefined ? [] : ['full_name']), ...(address === undefined ? [] : ['email'])]
    if (members.length === 0) return false
    const { numUpdatedRows } = await tx.updateTable('users').set({ ...set, updated_at: now() }).where('id', '=', id).executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    if (address !== undefined) {
      await oneTimeTokens.revoke(tx, id)
      if (before?.email != null) await outbox.add(tx, { kind: 'email_changed', email: before.email, username: before.username })
    }
    await audit.record(tx, { type: 'user_updated', outcome: 'success', userId: id, details: { members: members.join(' ') } }, context)
    return true
  }

  async function setDisabled (tx: Db, id: string, disabled: boolean, context: AuditContext): Promise<boolean> {
    const { numUpdatedRows } = await tx.updateTable('users').set({ disabled_at: disabled ? now() : null, updated_at: now() })
      .where('id', '=', id).where('disabled_at', disabled ? 'is' : 'is not', null).executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    if (disabled) {
      await endSessions(tx, id, now())
      await oneTimeTokens.revoke(tx, id)
    }
    await audit.record(tx, { type: disabled ? 'user_disabled' : 'user_enabled', outcome: 'success', userId: id }, context)
    return true
  }

  async function setRoles (tx: Db, id: string, roles: readonly string[], context: AuditContext): Promise<boolean> {
    const wanted = [...new Set(roles)].filter((role) => role !== 'user').toSorted()
    await requireRoles(tx, wanted)
    const { numUpdatedRows } = await tx.updateTable('users').set({ updated_at: now() }).where('id', '=', id).executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    const removed = await tx.deleteFrom('user_roles').where('user_id', '=', id).returning('role').execute()
    if (wanted.length > 0) await tx.insertInto('user_roles').values(wanted.map((role) => ({ user_id: id, role }))).execute()
    const before = removed.map(({ role }) => role).toSorted()
    // Whoever holds a link now was not meant to get more with it than the user had when it was mailed.
    if (await isMore(tx, before, wanted)) await oneTimeTokens.revoke(tx, id)
    await audit.record(tx, { type: 'user_roles_changed', outcome: 'success', userId: id, details: { before: before.join(' '), after: wanted.join(' ') } }, context)
    return true
  }

  return {
    async update (id, changes, context, guard = NOBODY_OBJECTS) {
      try {
        const { disabled, roles, email } = changes
        // Whose address may be changed goes by the roles, which must stay what the guard finds.
        const keep = [disabled, roles, email].every((change) => change === undefined) ? doAnyway : keepAdministrator
        return await db.transaction().execute(async (tx) => await keep(tx, async () => {
          await guard(tx)
          const done = [
            await updateProfile(tx, id, changes, context),
            disabled !== undefined && await setDisabled(tx, id, disabled, context),
            roles !== undefined && await setRoles(tx, id, roles, context)
          ]
          return done.includes(true)
        }))
      } catch (error) {
        throw translateConflict(error)
      }
    },

    async remove (id, context, guard = NOBODY_OBJECTS) {
      return await db.transaction().execute(async (tx) => await keepAdministrator(tx, async () => {
        await guard(tx)
        const { numDeletedRows } = await tx.deleteFrom('users').where('id', '=', id).executeTakeFirst()
        if (numDeletedRows === 0n) return false
        await audit.record(tx, { type: 'user_deleted', outcome: 'success', userId: id }, context)
        return true
      }))
    },

    async logout (id, context, { exceptSession = '', guard = NOBODY_OBJECTS } = {}) {
      return await db.transaction().execute(async (tx) => {
        await guard(tx)
        const ended = await endSessions(tx, id, now(), exceptSession)
        await audit.record(tx, { type: 'user_logged_out', outcome: 'success', userId: id, details: { sessions: ended } }, context)
        return ended
      })
    }
  }
}

/** Whether the roles `after` allow anything that those `before` did not. */
async function isMore (tx: Db, before: readonly string[], after: readonly string[]): Promise<boolean> {
  const held = new Set(await scopesOfRoles(tx, before))
  return (await scopesOfRoles(tx, after)).some((scope) => !held.has(scope))
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('accounts', createAccounts(fastify, { now: () => clock.now() }))
}, { name: 'accounts', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'one-time-tokens', 'outbox'] })
