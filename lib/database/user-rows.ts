import { sql, type ExpressionBuilder, type Kysely } from 'kysely'
import { BoundedMap } from '../bounded-map.ts'
import { PublicError } from '../errors.ts'
import type { User } from '../user.ts'
import { isUniqueViolation } from './errors.ts'
import type { Tables, UserRow } from './tables.ts'

/** The columns of a user, with the names of the roles in one text. */
export const USER_COLUMNS = [
  'users.username', 'users.email', 'users.email_verified_at', 'users.full_name',
  'users.disabled_at', 'users.created_at', 'users.updated_at', 'users.last_login_at'
] as const

export interface UserColumns {
  username: string
  email: string | null
  email_verified_at: number | null
  full_name: string | null
  disabled_at: number | null
  created_at: number
  updated_at: number
  last_login_at: number | null
  roles: string | null
}

/** A user who has just come to be; what is not given is not there. */
export function newUserRow ({ at, ...given }: Pick<UserRow, 'id' | 'username'> & Partial<UserRow> & { at: number }): UserRow {
  return {
    email: null,
    email_key: null,
    email_verified_at: null,
    full_name: null,
    password_hash: null,
    password_version: 0,
    disabled_at: null,
    demo_at: null,
    created_at: at,
    updated_at: at,
    last_login_at: null,
    ...given
  }
}

/** Keeps the user from being changed by others until the transaction ends, and resolves to how he is. */
export async function holdUser (tx: Kysely<Tables>, column: 'id' | 'email_key', value: string) {
  return await tx.updateTable('users').set(({ ref }) => ({ password_version: ref('password_version') })).where(column, '=', value)
    .returning(['id', 'username', 'email', 'email_verified_at', 'password_version', 'disabled_at']).executeTakeFirst()
}

/** The names of the user's roles in one text; null if he has only the one that everybody has. */
export function rolesOf (query: ExpressionBuilder<Tables, 'users'>) {
  return query.selectFrom('user_roles')
    .select(sql<string | null>`string_agg(user_roles.role, ' ')`.as('roles'))
    .whereRef('user_roles.user_id', '=', 'users.id')
    .as('roles')
}

/** What the role allows that everybody has. */
export function everybodysScopes (query: ExpressionBuilder<Tables, 'users'>) {
  return query.selectFrom('roles').select('roles.scopes').where('roles.name', '=', sql.lit('user')).as('everybodys_scopes')
}

/** What the user's other roles allow, in one text. */
export function scopesOf (query: ExpressionBuilder<Tables, 'users'>) {
  return query.selectFrom('user_roles').innerJoin('roles', 'roles.name', 'user_roles.role')
    .select(sql<string | null>`string_agg(roles.scopes, ' ')`.as('scopes'))
    .whereRef('user_roles.user_id', '=', 'users.id')
    .as('scopes')
}

export function toUser (id: string, row: UserColumns): User {
  return {
    id,
    username: row.username,
    email: row.email,
    emailVerifiedAt: row.email_verified_at,
    fullName: row.full_name,
    disabledAt: row.disabled_at,
    roles: row.roles === null ? EVERYBODY : ['user', ...row.roles.split(' ').filter((role) => role !== 'user').toSorted()],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastLoginAt: row.last_login_at
  }
}

const EVERYBODY = ['user']

// There are as many combinations of roles as people think of, and each is read whenever a session is.
const scopeLists = new BoundedMap<string, readonly string[]>(1000)

/** Roles overlap, so a scope may be there more than once. */
export function allScopes ({ everybodys_scopes: everybodys, scopes }: { everybodys_scopes: string | null, scopes: string | null }): readonly string[] {
  const text = `${everybodys ?? ''} ${scopes ?? ''}`
  const known = scopeLists.get(text)
  if (known !== undefined) return known
  const list = [...new Set(text.split(' ').filter(Boolean))]
  scopeLists.set(text, list)
  return list
}

/** @throws PublicError `unknown_role` (400) */
export async function requireRoles (db: Kysely<Tables>, names: readonly string[]): Promise<void> {
  const known = await db.selectFrom('roles').select('name').execute()
  const unknown = names.find((name) => !known.some((role) => role.name === name))
  if (unknown !== undefined) throw new PublicError(400, 'unknown_role', 'There is no such role')
}

/** What the roles allow, with the one that everybody has; the same scope may be there more than once. */
export async function scopesOfRoles (db: Kysely<Tables>, names: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('roles').select('scopes').where('name', 'in', ['user', ...names]).execute()
  return rows.flatMap(({ scopes }) => scopes.split(' ').filter(Boolean))
}

/** What the caller is told when a name or an address is another user's already. */
export function translateConflict (error: unknown): unknown {
  if (!isUniqueViolation(error)) return error
  return (error as Error).message.includes('email_key')
    ? new PublicError(409, 'email_taken', 'The e-mail address belongs to another user')
    : new PublicError(409, 'username_taken', 'The username is taken')
}
