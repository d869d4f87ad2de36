import { sql, type Kysely } from 'kysely'
import t, { type Test } from 'tap'
import { openPostgresDatabase } from '../../../lib/database/open-postgres.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { emptySchema, needsPostgres } from '../../postgres.ts'
import { UNAVAILABLE } from './open.ts'

async function open (t: Test, url: string): Promise<Kysely<Tables>> {
  const { db, close } = await openPostgresDatabase(url, { info: () => {}, warn: () => {} })
  t.teardown(close)
  return db
}

/** The server's number of the connection that the next statement takes. */
async function connectionOf (db: Kysely<Tables>): Promise<number | undefined> {
  const { rows: [row] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
  return row?.pid
}

if (await needsPostgres(t)) {
  t.test('A connection whose answer did not come in time is not used again', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const db = await open(t, proxy.url)
    const before = await connectionOf(db)

    proxy.freeze()
    await t.rejects(connectionOf(db), UNAVAILABLE)
    proxy.thaw()

    t.not(await connectionOf(db), before)
  })

  t.test('A connection is used again', async (t) => {
    const db = await open(t, await emptySchema(t))
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
}
