import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { OpenDatabase } from '../../../lib/database/database.ts'
import { openPostgresDatabase } from '../../../lib/database/open-postgres.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { emptySchema, needsPostgres, query } from '../../postgres.ts'
import { read, UNAVAILABLE, write } from './open.ts'

async function open (t: Test, url: string): Promise<OpenDatabase> {
  const database = await openPostgresDatabase(url, { info: () => {}, warn: () => {} })
  t.teardown(database.close)
  return database
}

type Db = OpenDatabase['db']

/** Lets two go on when both have come. */
function createBarrier (): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let missing = 2
  return async () => {
    if (--missing === 0) resolve()
    await promise
  }
}

if (await needsPostgres(t)) {
  t.test('Transactions that wait for each other are done again until both are done', async (t) => {
    const { db } = await open(t, await emptySchema(t))
    await Promise.all([write(db, 'a', 0), write(db, 'b', 0)])
    const meet = createBarrier()
    let runs = 0
    const add = async (...names: string[]): Promise<void> => await db.transaction().execute(async (tx) => {
      runs++
      for (const name of names) {
        await tx.updateTable('locks').set(({ eb }) => ({ taken_at: eb('taken_at', '+', 1) })).where('name', '=', name).execute()
        await meet()
      }
    })

    await Promise.all([add('a', 'b'), add('b', 'a')])

    t.strictSame([await read(db, 'a'), await read(db, 'b')], [2, 2])
    t.equal(runs, 3)
  })

  t.test('A transaction that always conflicts is given up', async (t) => {
    const { db } = await open(t, await emptySchema(t))
    let runs = 0

    await t.rejects(db.transaction().execute(async (tx) => {
      runs++
      await sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(tx)
    }), UNAVAILABLE)

    t.equal(runs, 4)
  })

  t.test('A statement by itself is done again when it conflicts', async (t) => {
    const url = await emptySchema(t)
    const { db } = await open(t, url)
    await query(url, 'create sequence attempts')
    await query(url, `create function fail_twice () returns trigger language plpgsql as $$
      begin if nextval('attempts') < 3 then raise exception using errcode = '40P01'; end if; return new; end $$`)
    await query(url, 'create trigger fail_twice before insert on locks for each row execute function fail_twice ()')

    await write(db, 'a', 7)

    t.equal(await read(db, 'a'), 7)
  })

  t.test('A row that refers to one that is gone meanwhile is looked at again', async (t) => {
    const { db } = await open(t, await emptySchema(t))
    let runs = 0

    await t.rejects(db.transaction().execute(async (tx) => {
      if (++runs === 3) throw new Error('there is no such user')
      await tx.insertInto('user_roles').values({ user_id: 'gone', role: 'admin' }).execute()
    }), { message: 'there is no such user' })
  })

  t.test('What is wrong with the program is neither done again nor called unavailable', async (t) => {
    const { db } = await open(t, await emptySchema(t))
    let runs = 0

    await t.rejects(db.transaction().execute(async (tx) => {
      runs++
      await sql`select nonsense`.execute(tx)
    }), { code: '42703' })
    await t.rejects(db.transaction().execute(async () => {
      runs++
      throw new TypeError('no')
    }), { name: 'TypeError' })

    t.equal(runs, 2)
  })

  t.test('A transaction in which something failed fails, with what failed first', async (t) => {
    const { db } = await open(t, await emptySchema(t))

    await t.rejects(db.transaction().execute(async (tx) => {
      await write(tx, 'a')
      await sql`select nonsense`.execute(tx).catch(() => {})
    }), { code: '42703' }, 'although somebody caught it')
    await t.rejects(db.transaction().execute(async (tx) => {
      await sql`select nonsense`.execute(tx).catch(() => {})
      await write(tx, 'a')
    }), { code: '42703' }, 'and went on')

    t.equal(await read(db, 'a'), undefined)
    await write(db, 'b')
  })

  const slow: Array<{ name: string, run: (db: Db) => Promise<unknown> }> = [
    { name: 'A statement that takes too long', run: async (db) => await sql`select pg_sleep(30)`.execute(db) },
    { name: 'A lock that is not to be had', run: async (db) => await write(db, 'signing-keys') }
  ]
  for (const { name, run } of slow) {
    t.test(`${name} ends with 503, and the connection goes on`, async (t) => {
      const { db } = await open(t, await emptySchema(t))
      const { promise: end, resolve: letGo } = Promise.withResolvers<void>()
      const { promise: held, resolve: hold } = Promise.withResolvers<void>()
      const holder = db.transaction().execute(async (tx) => {
        await write(tx, 'signing-keys')
        hold()
        await end
      })
      await held

      await t.rejects(run(db), UNAVAILABLE)

      letGo()
      await holder
      t.equal((await db.selectFrom('roles').selectAll().execute()).length, 2)
    })
  }

  t.test('While all connections are taken others get 503, and the database still counts as there', async (t) => {
    const { db, ping } = await open(t, await emptySchema(t))
    const { promise: end, resolve: letGo } = Promise.withResolvers<void>()
    const taken = Array.from({ length: 10 }, async () => { await db.transaction().execute(async () => { await end }) })

    await t.rejects(read(db, 'a'), UNAVAILABLE)
    await t.resolves(ping())

    letGo()
    await Promise.all(taken)
    await write(db, 'a')
  })

  t.test('A connection that is ended in a transaction', async (t) => {
    const url = await emptySchema(t)
    const { db } = await open(t, url)

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
    const { db } = await open(t, url)

    const ended = db.transaction().execute(async (tx) => {
      const { rows: [row] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      await query(url, 'select pg_terminate_backend($1, 1000)', [row?.pid])
      await new Promise((resolve) => setTimeout(resolve, 50))
    })

    await t.rejects(ended, UNAVAILABLE)
    await write(db, 'a')
  })

  t.test('A connection that is cut when the commit was sent: nobody knows, and it can be tried again', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const { db } = await open(t, proxy.url)
    proxy.onSend = (text) => { if (text.includes('commit')) proxy.cut() }

    await t.rejects(db.transaction().execute(async (tx) => { await write(tx, 'a', 7) }), UNAVAILABLE)

    proxy.onSend = () => {}
    await write(db, 'a', 8)
    t.equal(await read(db, 'a'), 8)
  })

  t.test('A network that lets nothing through', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const { db, ping } = await open(t, proxy.url)
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
