import { sql } from 'kysely'
import t from 'tap'
import type { OpenDatabase } from '../../../lib/database/database.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { emptySchema, needsPostgres, query } from '../../postgres.ts'
import { openPostgres } from './open-postgres.ts'
import { read, UNAVAILABLE, write } from './open.ts'

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
    const { db } = await openPostgres(t, await emptySchema(t))
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

  t.test('A transaction that always conflicts is begun four times, and given up', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t))
    const { db } = await openPostgres(t, proxy.url)
    let runs = 0

    await t.rejects(db.transaction().execute(async (tx) => {
      runs++
      await sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(tx)
    }), UNAVAILABLE)

    t.equal(runs, 4)
    t.equal(proxy.sent().split("errcode = '40001'").length - 1, 4, 'no statement is tried again in a transaction that has failed')
  })

  t.test('A statement by itself is done again when it conflicts', async (t) => {
    const url = await emptySchema(t)
    const { db } = await openPostgres(t, url)
    await query(url, 'create sequence attempts')
    await query(url, `create function fail_twice () returns trigger language plpgsql as $$
      begin if nextval('attempts') < 3 then raise exception using errcode = '40P01'; end if; return new; end $$`)
    await query(url, 'create trigger fail_twice before insert on locks for each row execute function fail_twice ()')

    await write(db, 'a', 7)

    t.equal(await read(db, 'a'), 7)
  })

  t.test('A row that refers to one that is gone meanwhile is looked at again', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))
    let runs = 0

    await t.rejects(db.transaction().execute(async (tx) => {
      if (++runs === 3) throw new Error('there is no such user')
      await tx.insertInto('user_roles').values({ user_id: 'gone', role: 'admin' }).execute()
    }), { message: 'there is no such user' })
  })

  t.test('What is wrong with the program is neither done again nor called unavailable', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))
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
    const { db } = await openPostgres(t, await emptySchema(t))

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
      const { db } = await openPostgres(t, await emptySchema(t))
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
    const { db, ping } = await openPostgres(t, await emptySchema(t))
    const { promise: end, resolve: letGo } = Promise.withResolvers<void>()
    const taken = Array.from({ length: 10 }, async () => { await db.transaction().execute(async () => { await end }) })

    await t.rejects(read(db, 'a'), UNAVAILABLE)
    await t.resolves(ping())

    letGo()
    await Promise.all(taken)
    await write(db, 'a')
  })
}
