import { sql, type Kysely } from 'kysely'
import t from 'tap'
import { openPostgresDatabase } from '../../../lib/database/open-postgres.ts'
import { parameter, prepareStatement } from '../../../lib/database/prepared.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { emptySchema, needsPostgres, query, until } from '../../postgres.ts'
import { openPostgres } from './open-postgres.ts'
import { UNAVAILABLE } from './open.ts'

/** The server's number of the connection that the next statement takes. */
async function connectionOf (db: Kysely<Tables>): Promise<number | undefined> {
  const { rows: [row] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
  return row?.pid
}

if (await needsPostgres(t)) {
  t.test('A connection whose answer did not come in time is not used again', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const { db } = await openPostgres(t, proxy.url)
    const before = await connectionOf(db)

    proxy.freeze()
    await t.rejects(connectionOf(db), UNAVAILABLE)
    proxy.thaw()

    t.not(await connectionOf(db), before)
  })

  t.test('A connection is used again', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))
    const before = await connectionOf(db)

    t.test('after a statement that the server refused', async (t) => {
      await t.rejects(sql`select nothing`.execute(db), { code: '42703' })

      t.equal(await connectionOf(db), before)
    })

    t.test('after a transaction, done or not', async (t) => {
      await db.transaction().execute(async (tx) => { await connectionOf(tx) })
      await t.rejects(db.transaction().execute(async () => { throw new Error('not this time') }))

      t.equal(await connectionOf(db), before)
    })
  })

  t.test('Who closes the database leaves no connection', async (t) => {
    const url = await emptySchema(t)
    const { db, close } = await openPostgresDatabase(url, { info: () => {}, warn: () => {} })
    const pid = await connectionOf(db)

    await close()

    t.ok(await until(async () => (await query(url, 'select pid from pg_stat_activity where pid = $1', [pid])).length === 0))
  })

  t.test('A connection keeps the statements of every request, and no others', async (t) => {
    const { db, prepareRead } = await openPostgres(t, await emptySchema(t))
    const read = prepareRead(db.selectFrom('roles').select('scopes').where('name', '=', parameter('name')))
    const write = prepareStatement(db.updateTable('roles').set({ description: parameter('text') }).where('name', '=', parameter('name')))

    for (const name of ['user', 'admin']) {
      t.ok(await read({ name }))
      t.equal((await write(db, { name, text: 'A role' })).numAffectedRows, 1n)
      await db.selectFrom('roles').select('description').where('name', '=', name).execute()
    }

    const { rows } = await sql<{ statement: string, runs: number }>`select statement, (generic_plans + custom_plans)::int as runs from pg_prepared_statements order by 1`.execute(db)
    t.strictSame(rows, [
      { statement: 'select "scopes" from "roles" where "name" = $1', runs: 2 },
      { statement: 'update "roles" set "description" = $1 where "name" = $2', runs: 2 }
    ])
  })

  t.test('A connection whose statements do not fit the tables any more is replaced', async (t) => {
    const { db, prepareRead } = await openPostgres(t, await emptySchema(t))
    const prepared = prepareRead(db.selectFrom('roles').select('name').where('name', '=', parameter('name')))
    const read = async (): Promise<unknown> => await prepared({ name: 'user' })
    await read()
    await sql`alter table roles alter column name type varchar(80)`.execute(db)

    await t.rejects(read(), UNAVAILABLE)

    t.strictSame(await read(), { name: 'user' })
  })
}
