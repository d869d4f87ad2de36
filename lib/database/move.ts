import { sql, type Kysely } from 'kysely'
import { StartupError } from '../errors.ts'
import type { Tables } from './tables.ts'

/** All tables, each after those that its rows refer to. */
export const MOVED_TABLES: ReadonlyArray<keyof Tables> = [
  'roles', 'users', 'user_roles', 'sessions', 'signing_keys', 'audit_events', 'locks', 'one_time_tokens', 'outbox', 'throttles', 'known_networks'
]

const ROWS_AT_A_TIME = 500

/** How many rows each table had. */
export type Moved = Partial<Record<keyof Tables, number>>

/**
 * Copies all that is in an SQLite database, to which nobody can write meanwhile, to a PostgreSQL database: all of it or
 * nothing. Both have the schema of this version.
 *
 * @throws StartupError if somebody has used the target
 */
export async function moveDatabase (from: Kysely<Tables>, to: Kysely<Tables>): Promise<Moved> {
  return await from.transaction().execute(async (source) => await to.transaction().execute(async (target) => {
    await sql`lock table ${sql.join(MOVED_TABLES.map((table) => sql.table(table)))} in exclusive mode`.execute(target)
    await refuseUsed(target)
    const moved: Moved = {}
    for (const table of MOVED_TABLES) {
      await sql`delete from ${sql.table(table)}`.execute(target) // what a new database has comes from the old one
      moved[table] = await copyTable(source, target, table)
    }
    return moved
  }))
}

async function refuseUsed (target: Kysely<Tables>): Promise<void> {
  for (const table of ['users', 'signing_keys', 'audit_events'] as const) {
    const { rows } = await sql`select from ${sql.table(table)} limit 1`.execute(target)
    if (rows.length > 0) throw new StartupError('The target is in use already; name an empty database or schema')
  }
}

async function copyTable (source: Kysely<Tables>, target: Kysely<Tables>, table: keyof Tables): Promise<number> {
  let count = 0
  for (let last = 0; ;) {
    const { rows } = await sql<{ number: number }>`
      select rowid as number, * from ${sql.table(table)} where rowid > ${last} order by rowid limit ${ROWS_AT_A_TIME}`.execute(source)
    const end = rows.at(-1)
    if (end === undefined) return count
    last = end.number
    count += rows.length
    await target.insertInto(table).values(rows.map(({ number, ...row }) => row as never)).execute() // a row of that very table
  }
}
