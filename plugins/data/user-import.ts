import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import { lockAdministration } from '../../lib/database/administration-lock.ts'
import { isUniqueViolation } from '../../lib/database/errors.ts'
import { parameter, parameters, prepareStatement } from '../../lib/database/prepared.ts'
import type { UserRoleRow, UserRow } from '../../lib/database/tables.ts'
import { newUserRow } from '../../lib/database/user-rows.ts'
import type { ImportedUser } from '../../lib/import-line.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'

/** What became of a user, or would: `present` if there is one of that name already, or why the user is refused. */
export type ImportOutcome = 'imported' | 'present' | { reason: string }

/** Users with the hashes that another program made. No two of one call may have a name or an address in common. */
export interface UserImport {
  /** Makes those who can be made, in one transaction, and tells of each in the order given. */
  add (users: readonly ImportedUser[], context: AuditContext): Promise<ImportOutcome[]>
  /** Tells what `add` would do. */
  check (users: readonly ImportedUser[]): Promise<ImportOutcome[]>
}

declare module 'fastify' {
  interface FastifyInstance {
    userImport: UserImport
  }
}

const COLUMNS = [
  'id', 'username', 'email', 'email_key', 'email_verified_at', 'full_name', 'password_hash', 'password_version',
  'disabled_at', 'demo_at', 'created_at', 'updated_at', 'last_login_at'
] as const

export function createUserImport (db: Db, audit: Audit, { now }: { now: () => number }): UserImport {
  const selectTaken = prepareStatement(db.selectFrom('users').select('username')
    .where(({ eb, or }) => or([eb('username', '=', parameter('username')), eb('email_key', '=', parameter('email_key'))])))
  const insertUser = prepareStatement(db.insertInto('users').values(parameters<UserRow>(COLUMNS)))
  const insertRole = prepareStatement(db.insertInto('user_roles').values(parameters<UserRoleRow>(['user_id', 'role'])))

  async function judge (tx: Db, user: ImportedUser, knownRoles: ReadonlySet<string>): Promise<ImportOutcome> {
    const { rows } = await selectTaken(tx, { username: user.username, email_key: user.email?.canonical ?? null })
    if (rows.some(({ username }) => username === user.username)) return 'present'
    if (rows.length > 0) return { reason: 'The e-mail address belongs to another user' }
    const unknown = user.roles.find((role) => !knownRoles.has(role))
    return unknown === undefined ? 'imported' : { reason: `There is no role called ${unknown}` }
  }

  async function insert (tx: Db, { username, email, fullName, passwordHash, roles, disabled }: ImportedUser, context: AuditContext): Promise<void> {
    const id = uuidv7()
    const at = now()
    const row = newUserRow({
      id,
      at,
      username,
      email: email?.address ?? null,
      email_key: email?.canonical ?? null,
      full_name: fullName,
      password_hash: passwordHash,
      disabled_at: disabled ? at : null
    })
    await insertUser(tx, { ...row })
    for (const role of roles) await insertRole(tx, { user_id: id, role })
    await audit.record(tx, { type: 'user_imported', outcome: 'success', userId: id, ...roles.length > 0 && { details: { roles: roles.join(' ') } } }, context)
  }

  async function judgeAll (tx: Db, users: readonly ImportedUser[], take: (user: ImportedUser) => Promise<void>): Promise<ImportOutcome[]> {
    const roles = await tx.selectFrom('roles').select('name').execute()
    const knownRoles = new Set(roles.map(({ name }) => name))
    const outcomes: ImportOutcome[] = []
    for (const user of users) {
      const outcome = await judge(tx, user, knownRoles)
      if (outcome === 'imported') await take(user)
      outcomes.push(outcome)
    }
    return outcomes
  }

  async function addAll (users: readonly ImportedUser[], context: AuditContext): Promise<ImportOutcome[]> {
    return await db.transaction().execute(async (tx) => {
      // Two imports would wait for each other's names, and meet again when they are done again.
      await lockAdministration(tx)
      return await judgeAll(tx, users, async (user) => { await insert(tx, user, context) })
    })
  }

  return {
    async add (users, context) {
      try {
        return await addAll(users, context)
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        return await addAll(users, context) // meanwhile somebody signed up under one of the names
      }
    },

    async check (users) {
      return await judgeAll(db, users, async () => {})
    }
  }
}

export default fp(async (fastify) => {
  const { db, audit, clock } = fastify
  fastify.decorate('userImport', createUserImport(db, audit, { now: () => clock.now() }))
}, { name: 'user-import', fastify: '5.x', dependencies: ['audit', 'clock', 'database'] })
