import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import { isUniqueViolation } from '../../lib/database/sqlite-errors.ts'
import { allScopes, everybodysScopes, rolesOf, scopesOf, toUser, USER_COLUMNS } from '../../lib/database/user-rows.ts'
import { PublicError } from '../../lib/errors.ts'
import { canonicalIdentifier, parseEmail, parseFullName, parseUsername } from '../../lib/identifiers.ts'
import type { User } from '../../lib/user.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db, PrepareRead } from './database.ts'

/** What log-in needs to know of a user. */
export interface LoginUser {
  id: string
  passwordHash: string | null
  /** Changes with every new password. */
  passwordVersion: number
  disabledAt: number | null
  /** What the user's roles allow. */
  scopes: readonly string[]
}

export interface NewUser {
  username: string
  email?: string
  /** Whether the address is known to be the user's. */
  emailVerified?: boolean
  fullName?: string
  passwordHash?: string
  roles?: readonly string[]
  demo?: boolean
}

export interface Users {
  /** Takes a username or an e-mail address, however it is spelled. */
  find (identifier: string): Promise<User | undefined>
  findForLogin (identifier: string): Promise<LoginUser | undefined>
  list (): Promise<User[]>
  isEmpty (): Promise<boolean>
  /**
   * @throws ValidationError for a name or address that can't be one
   * @throws PublicError `username_taken`, `email_taken` (409) or `unknown_role` (400)
   */
  create (user: NewUser, context: AuditContext): Promise<User>
  /** Ends the user's sessions too. Resolves to false when the user was disabled already. */
  disable (id: string, context: AuditContext): Promise<boolean>
  /** Resolves to false when the user was not disabled. */
  enable (id: string, context: AuditContext): Promise<boolean>
  /** Ends the user's sessions too. */
  setPassword (id: string, passwordHash: string, context: AuditContext): Promise<void>
  /** Replaces a hash by one of the same password; does nothing if another is stored meanwhile. */
  upgradeHash (id: string, from: string, to: string): Promise<void>
  /** Ends all sessions of the user; resolves to how many there were. */
  logout (id: string, context: AuditContext): Promise<number>
  /** Whether there is a demo user whose password was never changed. */
  hasDemo (): Promise<boolean>
  /** Disables a demo user whose password was never changed; resolves to its name. */
  disableDemo (context: AuditContext): Promise<string | undefined>
}

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
  }
}

const KEY_COLUMNS = { username: 'username', email: 'email_key' } as const

export function createUsers (db: Db, prepareRead: PrepareRead, audit: Audit, { now }: { now: () => number }): Users {
  const selectUsers = db.selectFrom('users').select([...USER_COLUMNS, 'users.id']).select(rolesOf)

  const selectForLogin = (column: 'username' | 'email_key') => prepareRead(db.selectFrom('users')
    .select(['users.id', 'users.password_hash', 'users.password_version', 'users.disabled_at']).select([everybodysScopes, scopesOf])
    .where(`users.${column}`, '=', '').compile())
  const readForLogin = { username: selectForLogin('username'), email: selectForLogin('email_key') }

  const selectDemo = db.selectFrom('users').select(['id', 'username'])
    .where('demo_at', 'is not', null).where('disabled_at', 'is', null)

  async function endSessions (tx: Db, userId: string): Promise<number> {
    const { numUpdatedRows } = await tx.updateTable('sessions').set({ revoked_at: now() })
      .where('user_id', '=', userId).where('revoked_at', 'is', null).executeTakeFirst()
    return Number(numUpdatedRows)
  }

  return {
    async find (identifier) {
      const key = canonicalIdentifier(identifier)
      if (key === undefined) return undefined
      const row = await selectUsers.where(`users.${KEY_COLUMNS[key.kind]}`, '=', key.value).executeTakeFirst()
      return row && toUser(row.id, row)
    },

    async findForLogin (identifier) {
      const key = canonicalIdentifier(identifier)
      const row = key && await readForLogin[key.kind](key.value)
      return row && { id: row.id, passwordHash: row.password_hash, passwordVersion: row.password_version, disabledAt: row.disabled_at, scopes: allScopes(row) }
    },

    async list () {
      const rows = await selectUsers.orderBy('users.username').execute()
      return rows.map((row) => toUser(row.id, row))
    },

    async isEmpty () {
      return await db.selectFrom('users').select('id').limit(1).executeTakeFirst() === undefined
    },

    async create (user, context) {
      const username = parseUsername(user.username)
      const email = user.email === undefined ? null : parseEmail(user.email)
      const fullName = user.fullName === undefined ? null : parseFullName(user.fullName)
      const roles = [...new Set(user.roles)].filter((role) => role !== 'user')
      const id = uuidv7()
      const at = now()
      try {
        await db.transaction().execute(async (tx) => {
          await requireRoles(tx, roles)
          await tx.insertInto('users').values({
            id,
            username,
            email: email?.address ?? null,
            email_key: email?.canonical ?? null,
            email_verified_at: email !== null && user.emailVerified === true ? at : null,
            full_name: fullName,
            password_hash: user.passwordHash ?? null,
            password_version: 0,
            disabled_at: null,
            demo_at: user.demo === true ? at : null,
            created_at: at,
            updated_at: at,
            last_login_at: null
          }).execute()
          if (roles.length > 0) await tx.insertInto('user_roles').values(roles.map((role) => ({ user_id: id, role }))).execute()
          await audit.record(tx, { type: 'user_created', outcome: 'success', userId: id }, context)
        })
      } catch (error) {
        throw translateConflict(error)
      }
      const row = await selectUsers.where('users.id', '=', id).executeTakeFirstOrThrow()
      return toUser(id, row)
    },

    async disable (id, context) {
      return await db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx.updateTable('users').set({ disabled_at: now(), updated_at: now() })
          .where('id', '=', id).where('disabled_at', 'is', null).executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await endSessions(tx, id)
        await audit.record(tx, { type: 'user_disabled', outcome: 'success', userId: id }, context)
        return true
      })
    },

    async enable (id, context) {
      return await db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx.updateTable('users').set({ disabled_at: null, updated_at: now() })
          .where('id', '=', id).where('disabled_at', 'is not', null).executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await audit.record(tx, { type: 'user_enabled', outcome: 'success', userId: id }, context)
        return true
      })
    },

    async setPassword (id, passwordHash, context) {
      await db.transaction().execute(async (tx) => {
        await tx.updateTable('users')
          .set(({ eb }) => ({ password_hash: passwordHash, password_version: eb('password_version', '+', 1), demo_at: null, updated_at: now() }))
          .where('id', '=', id).execute()
        await endSessions(tx, id)
        await audit.record(tx, { type: 'user_password_set', outcome: 'success', userId: id }, context)
      })
    },

    async upgradeHash (id, from, to) {
      await db.updateTable('users').set({ password_hash: to }).where('id', '=', id).where('password_hash', '=', from).execute()
    },

    async logout (id, context) {
      return await db.transaction().execute(async (tx) => {
        const ended = await endSessions(tx, id)
        await audit.record(tx, { type: 'user_logged_out', outcome: 'success', userId: id, details: { sessions: ended } }, context)
        return ended
      })
    },

    async hasDemo () {
      return await selectDemo.executeTakeFirst() !== undefined
    },

    async disableDemo (context) {
      const demo = await selectDemo.executeTakeFirst()
      if (demo === undefined || !await this.disable(demo.id, context)) return undefined
      return demo.username
    }
  }
}

async function requireRoles (db: Db, names: readonly string[]): Promise<void> {
  const known = await db.selectFrom('roles').select('name').execute()
  const unknown = names.find((name) => !known.some((role) => role.name === name))
  if (unknown !== undefined) throw new PublicError(400, 'unknown_role', 'There is no such role')
}

function translateConflict (error: unknown): unknown {
  if (!isUniqueViolation(error)) return error
  return (error as Error).message.includes('email_key')
    ? new PublicError(409, 'email_taken', 'The e-mail address belongs to another user')
    : new PublicError(409, 'username_taken', 'The username is taken')
}

export default fp(async (fastify) => {
  const { db, prepareRead, audit, clock } = fastify
  fastify.decorate('users', createUsers(db, prepareRead, audit, { now: () => clock.now() }))
}, { name: 'users', fastify: '5.x', dependencies: ['audit', 'clock', 'database'] })
