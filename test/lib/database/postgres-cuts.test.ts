import { sql } from 'kysely'
import t from 'tap'
import { startProxy } from '../../postgres-proxy.ts'
import { emptySchema, needsPostgres, query } from '../../postgres.ts'
import { openPostgres } from './open-postgres.ts'
import { read, UNAVAILABLE, write } from './open.ts'

if (await needsPostgres(t)) {
  t.test('A connection that is ended in a transaction', async (t) => {
    const url = await emptySchema(t)
    const { db } = await openPostgres(t, url)

    const ended = db.transaction().execute(async (tx) => {
      await write(tx, 'a')
      const { rows: [row] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      await query(url, 'select pg_terminate_backend($1, 1000)', [row?.pid])
      await write(tx, 'b')
    })

    await t.rejects(ended, UNAVAILABLE, '503')
    t.strictSame([await read(db, 'a'), await read(db, 'b')], [undefined, undefined], 'nothing half')
    await write(db, 'a')
  })

  t.test('A connection that is ended while a transaction does something else stops no process', async (t) => {
    const url = await emptySchema(t)
    const { db } = await openPostgres(t, url)

    const ended = db.transaction().execute(async (tx) => {
      const { rows: [row] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      await query(url, 'select pg_terminate_backend($1, 1000)', [row?.pid])
      await query(url, 'select 1') // by the time that another connection has answered, the end has come
    })

    await t.rejects(ended, UNAVAILABLE)
    await write(db, 'a')
  })

  t.test('A connection that is cut when the commit was sent: nobody knows, and it can be tried again', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const { db } = await openPostgres(t, proxy.url)
    proxy.onSend = (text) => { if (text.includes('commit')) proxy.cut() }

    await t.rejects(db.transaction().execute(async (tx) => { await write(tx, 'a', 7) }), UNAVAILABLE)

    proxy.onSend = () => {}
    await write(db, 'a', 8)
    t.equal(await read(db, 'a'), 8)
  })

  t.test('A network that lets nothing through', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const { db, ping } = await openPostgres(t, proxy.url)
    proxy.freeze()

    await Promise.all([
      t.rejects(db.transaction().execute(async (tx) => { await write(tx, 'a') }), UNAVAILABLE, 'a transaction'),
      t.rejects(read(db, 'a'), UNAVAILABLE, 'a statement'),
      t.rejects(ping(), UNAVAILABLE, 'a health check')
    ])

    proxy.thaw()
    await write(db, 'a', 7)
    t.equal(await read(db, 'a'), 7)
    await t.resolves(ping())
  })
}
