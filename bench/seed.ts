import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { uuidv7 } from 'uuidv7'
import { openPatientPostgres } from '../lib/database/open-postgres.ts'
import type { SessionRow, Tables, UserRoleRow, UserRow } from '../lib/database/tables.ts'

export interface Seed {
  count: number
  passwordHash: string
  /** How many of them are given back. */
  sample: number
}

/** A user with a session, as the database has them. */
export interface SeededRow {
  id: string
  username: string
  email: string
  sessionId: string
}

/** What the users are called by: however many there are, their numbers are spread over all of these. */
const NUMBERS = 1_000_000
const IN_ONE_TRANSACTION = 100_000
const DAY_MS = 86_400_000

export const USER_SCOPE = 'profile account'
export const ADMIN_SCOPE = 'profile account users:read'

/** The names of the user at that place in a database of so many, in the order of the names. */
export function namesOf (place: number, count: number): { username: string, email: string } {
  const digits = String(Math.floor(place * NUMBERS / count)).padStart(String(NUMBERS - 1).length, '0')
  // The address begins with other letters than any username, so that a search for it finds it by the address alone.
  return { username: `person-${digits}`, email: `mail-${digits}@example.com` }
}

/** Users, each with a session, in the order of their names. */
function * makeUsers ({ count, passwordHash, sample }: Seed) {
  for (let made = 0; made < count; made++) {
    const isAdmin = made === 0
    const row: SeededRow = { id: uuidv7(), ...namesOf(made, count), sessionId: uuidv7() }
    yield {
      row,
      isSample: made % Math.ceil(count / sample) === 0,
      user: userRow(row, passwordHash),
      session: sessionRow(row, isAdmin ? ADMIN_SCOPE : USER_SCOPE),
      roles: isAdmin ? [{ user_id: row.id, role: 'admin' } satisfies UserRoleRow] : []
    }
  }
}

/**
 * Makes users, each with a session, straight in the database: through the service a million of them would take an hour.
 * The first is an administrator.
 *
 * @param path of a database with the schema of the service, which must not run
 * @returns as many of them as asked for, spread over all
 */
export function seedSqlite (path: string, seed: Seed): SeededRow[] {
  const database = new DatabaseSync(path)
  database.exec('pragma synchronous = off; pragma cache_size = -262144')
  const insertUser = inserter(database, 'users')
  const insertSession = inserter(database, 'sessions')
  const insertRole = inserter(database, 'user_roles')
  const rows: SeededRow[] = []
  let made = 0
  for (const { row, isSample, user, session, roles } of makeUsers(seed)) {
    if (made % IN_ONE_TRANSACTION === 0) database.exec(made === 0 ? 'begin' : 'commit; begin')
    made++
    insertUser(user)
    insertSession(session)
    roles.forEach(insertRole)
    if (isSample) rows.push(row)
  }
  database.exec('commit; pragma wal_checkpoint(truncate)')
  database.close()
  return rows
}

/** The same in PostgreSQL, for as many as one statement takes. */
export async function seedPostgres (url: string, seed: Seed): Promise<SeededRow[]> {
  const made = [...makeUsers(seed)]
  const db = await openPatientPostgres(url)
  await db.insertInto('users').values(made.map(({ user }) => user)).execute()
  await db.insertInto('sessions').values(made.map(({ session }) => session)).execute()
  await db.insertInto('user_roles').values(made.flatMap(({ roles }) => roles)).execute()
  await db.destroy()
  return made.filter(({ isSample }) => isSample).map(({ row }) => row)
}

/** The statement is prepared with the first row, whose members are the columns. */
function inserter<Table extends keyof Tables> (database: DatabaseSync, table: Table): (row: Tables[Table]) => void {
  let insert: ((values: SQLInputValue[]) => void) | undefined
  return (row) => {
    insert ??= prepareInsert(database, table, Object.keys(row))
    insert(Object.values(row) as SQLInputValue[])
  }
}

function prepareInsert (database: DatabaseSync, table: string, columns: readonly string[]): (values: SQLInputValue[]) => void {
  const statement = database.prepare(`insert into ${table} (${columns.join()}) values (${columns.map(() => '?').join()})`)
  return (values) => { statement.run(...values) }
}

function userRow ({ id, username, email }: SeededRow, passwordHash: string): UserRow {
  const at = Date.now()
  return {
    id,
    username,
    email,
    email_key: email,
    email_verified_at: at,
    full_name: `The Person ${username}`,
    password_hash: passwordHash,
    password_version: 0,
    disabled_at: null,
    demo_at: null,
    created_at: at,
    updated_at: at,
    last_login_at: null
  }
}

function sessionRow ({ id, sessionId }: SeededRow, scope: string): SessionRow {
  const at = Date.now()
  return {
    id: sessionId,
    user_id: id,
    client_id: 'first-party',
    scope,
    generation: 0,
    created_at: at,
    last_used_at: at,
    rotated_at: null,
    idle_expires_at: at + DAY_MS,
    expires_at: at + DAY_MS,
    revoked_at: null,
    ip: null,
    user_agent: null
  }
}
