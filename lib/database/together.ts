import { sql, type Kysely, type QueryCreator, type UpdateQueryBuilder, type UpdateResult } from 'kysely'
import { prepareStatement, type Values } from './prepared.ts'
import type { Tables } from './tables.ts'

type Db = Kysely<Tables>

/** A change of a user, and what follows if it finds the user: another change, and two rows that are inserted. */
export interface Opening {
  change: UpdateQueryBuilder<Tables, 'users', 'users', UpdateResult>
  /** Does not see the rows that are inserted. */
  before: UpdateQueryBuilder<Tables, 'sessions', 'sessions', UpdateResult>
  insertions: readonly [Insertion, Insertion]
}

export interface Insertion {
  into: keyof Tables
  /** Its values are parameters. */
  row: object
}

/** Does all of it and resolves to true, or nothing. */
export type WriteTogether = (db: Db, values: Values) => Promise<boolean>

/** One statement after the other, in the transaction of the caller or in one of their own. */
export function prepareInTurn (db: Db, { change, before, insertions }: Opening): WriteTogether {
  const writeChange = prepareStatement(change)
  const others = [before, ...insertions.map(({ into, row }) => db.insertInto(into).values(row as never))].map((query) => prepareStatement<unknown>(query))

  async function write (tx: Db, values: Values): Promise<boolean> {
    const { numAffectedRows } = await writeChange(tx, values)
    if (numAffectedRows === 0n) return false
    for (const other of others) await other(tx, values)
    return true
  }

  return async (db, values) => db.isTransaction ? await write(db, values) : await db.transaction().execute(async (tx) => await write(tx, values))
}

/** All by one statement, which SQLite doesn't have, and which spares PostgreSQL four round trips. */
export function prepareAtOnce (db: Db, { change, before, insertions: [first, second] }: Opening): WriteTogether {
  const write = prepareStatement(insertIfFound(db
    .with('found', () => change.returning('users.id'))
    .with('before', () => before.where(({ exists, selectFrom }) => exists(selectFrom('found' as 'users').select('id'))))
    .with('first', (query) => insertIfFound(query, first)), second))
  return async (db, values) => (await write(db, values)).numAffectedRows === 1n
}

function insertIfFound (query: Pick<QueryCreator<Tables>, 'insertInto'>, { into, row }: Insertion) {
  const values = Object.values(row).map((value) => sql`${value}`)
  return query.insertInto(into).columns(Object.keys(row) as never).expression(sql`select ${sql.join(values)} from found`)
}
