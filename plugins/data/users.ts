import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import { lockAdministration } from '../../lib/database/administration-lock.ts'
import { parameter } from '../../lib/database/prepared.ts'
import { allScopes, everybodysScopes, newUserRow, requireRoles, rolesOf, scopesOf, toUser, translateConflict, USER_COLUMNS } from '../../lib/database/user-rows.ts'
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
  /** Whether the password is that of the demo user, which everybody knows. */
  isDemo: boolean
  /** When the e-mail address was proven. */
  emailVerifiedAt: number | null
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
   * @param guard runs in the transaction, before the user is there, and throws to prevent it
   * @throws ValidationError for a name or address that can't be one
   * @throws PublicError `username_taken`, `email_taken` (409) or `unknown_role` (400)
   */
  create (user: NewUser, context: AuditContext, guard?: (tx: Db, id: string) => Promise<void>): Promise<User>
  /** The enabled demo user, if there is one whose password was never changed. */
  findDemo (): Promise<{ id: string, username: string } | undefined>
}

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
  }
}

// A statement that reads a million users would take longer than the database allows one.
const READ_AT_A_TIME = 1000
const KEY_COLUMNS = { username: 'username', email: 'email_key' } as const

export function createUsers (db: Db, prepareRead: PrepareRead, audit: Audit, { now }: { now: () => number }): Users {
  const selectUsers = db.selectFrom('users').select([...USER_COLUMNS, 'users.id']).select(rolesOf)

  const selectForLogin = (column: 'username' | 'email_key') => prepareRead(db.selectFrom('users')
    .select(['users.id', 'users.password_hash', 'users.password_version', 'users.disabled_at', 'users.demo_at', 'users.email_verified_at']).select([everybodysScopes, scopesOf])
    .where(`users.${column}`, '=', parameter('key')))
  const readForLogin = { username: selectForLogin('username'), email: selectForLogin('email_key') }

  return {
    async find (identifier) {
      const key = canonicalIdentifier(identifier)
      if (key === undefined) return undefined
      const row = await selectUsers.where(`users.${KEY_COLUMNS[key.kind]}`, '=', key.value).executeTakeFirst()
      return row && toUser(row.id, row)
    },

    async findForLogin (identifier) {
      const key = canonicalIdentifier(identifier)
      const row = key && await readForLogin[key.kind]({ key: key.value })
      return row && { id: row.id, passwordHash: row.password_hash, passwordVersion: row.password_version, disabledAt: row.disabled_at, isDemo: row.demo_at !== null, emailVerifiedAt: row.email_verified_at, scopes: allScopes(row) }
    },

    async list () {
      const users: User[] = []
      for (;;) {
        const rows = await selectUsers.where('users.username', '>', users.at(-1)?.username ?? '').orderBy('users.username').limit(READ_AT_A_TIME).execute()
        users.push(...rows.map((row) => toUser(row.id, row)))
        if (rows.length < READ_AT_A_TIME) return users
      }
    },

    async isEmpty () {
      return await db.selectFrom('users').select('id').limit(1).executeTakeFirst() === undefined
    },

    async create (user, context, guard) {
      const username = parseUsername(user.username)
      const email = user.email === undefined ? null : parseEmail(user.email)
      const fullName = user.fullName === undefined ? null : parseFullName(user.fullName)
      const roles = [...new Set(user.roles)].filter((role) => role !== 'user')
      const id = uuidv7()
      const at = now()
      try {
        await db.transaction().execute(async (tx) => {
          if (roles.length > 0) await lockAdministration(tx)
          await requireRoles(tx, roles)
          await guard?.(tx, id)
          await tx.insertInto('users').values(newUserRow({
            id,
            at,
            username,
            email: email?.address ?? null,
            email_key: email?.canonical ?? null,
            email_verified_at: email !== null && user.emailVerified === true ? at : null,
            full_name: fullName,
            password_hash: user.passwordHash ?? null,
            demo_at: user.demo === true ? at : null
          })).execute()
          if (roles.length > 0) await tx.insertInto('user_roles').values(roles.map((role) => ({ user_id: id, role }))).execute()
          await audit.record(tx, { type: 'user_created', outcome: 'success', userId: id, ...roles.length > 0 && { details: { roles: roles.join(' ') } } }, context)
        })
      } catch (error) {
        throw translateConflict(error)
      }
      const row = await selectUsers.where('users.id', '=', id).executeTakeFirstOrThrow()
      return toUser(id, row)
    },

    async findDemo () {
      return await db.selectFrom('users').select(['id', 'username'])
        .where('demo_at', 'is not', null).where('disabled_at', 'is', null).executeTakeFirst()
    }
  }
}

export default fp(async (fastify) => {
  const { db, prepareRead, audit, clock } = fastify
  fastify.decorate('users', createUsers(db, prepareRead, audit, { now: () => clock.now() }))
}, { name: 'users', fastify: '5.x', dependencies: ['audit', 'clock', 'database'] })
