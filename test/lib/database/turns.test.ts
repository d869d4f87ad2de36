import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTick } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { openDatabase, read, UNAVAILABLE, write } from './open.ts'

t.test('Transactions of parallel callers never interleave', async (t) => {
  const { db } = await openDatabase(t)
  await write(db, 'counter', 0)
  const events: string[] = []

  await Promise.all(Array.from({ length: 20 }, async (_, caller) => {
    await db.transaction().execute(async (tx) => {
      events.push(`${caller} begins`)
      const count = await read(tx, 'counter') as number
      await nextTick()
      await write(tx, 'counter', count + 1)
      events.push(`${caller} ends`)
    })
  }))

  t.equal(await read(db, 'counter'), 20)
  t.same(events, Array.from({ length: 20 }, (_, caller) => [`${caller} begins`, `${caller} ends`]).flat())
})

t.test('What another caller writes meanwhile is not part of a transaction', async (t) => {
  const { db } = await openDatabase(t)
  let outside: Promise<void> | undefined

  const transaction = db.transaction().execute(async (tx) => {
    await write(tx, 'inside')
    outside = write(db, 'outside')
    await nextTick()
    throw new Error('changed my mind')
  })

  await t.rejects(transaction, { message: 'changed my mind' })
  await outside
  t.equal(await read(db, 'inside'), undefined)
  t.equal(await read(db, 'outside'), 1)
})

t.test('A transaction begins as a writer, even if it reads first', async (t) => {
  const { path, db } = await openDatabase(t)
  const other = new DatabaseSync(path, { timeout: 0 })
  t.teardown(() => { other.close() })

  await db.transaction().execute(async (tx) => {
    await read(tx, 'anything')

    t.throws(() => { other.exec('begin immediate') }, { message: 'database is locked' })
  })

  t.doesNotThrow(() => { other.exec('begin immediate; rollback') })
})

t.test('A transaction that fails leaves nothing behind and gives its turn on', async (t) => {
  const { db } = await openDatabase(t)

  const transaction = db.transaction().execute(async (tx) => {
    await write(tx, 'undone')
    await tx.insertInto('roles').values({ name: 'user', scopes: '', description: '' }).execute()
  })

  await t.rejects(transaction, { message: 'UNIQUE constraint failed: roles.name' })
  t.equal(await read(db, 'undone'), undefined)
  await write(db, 'next')
  t.equal(await read(db, 'next'), 1)
})

for (const [end, fault] of [['is committed', undefined], ['is rolled back', new Error('changed my mind')]] as const) {
  t.test(`What a caller does after a transaction that ${end} is no part of it`, async (t) => {
    const { db } = await openDatabase(t)

    await db.connection().execute(async (caller) => {
      await caller.transaction().execute(async () => { if (fault !== undefined) throw fault }).catch(() => {})
      await nextTick() // it was due meanwhile
      await write(caller, 'afterwards')
    })

    t.equal(await read(db, 'afterwards'), 1)
  })
}

t.test('A statement that fails gives its turn on', async (t) => {
  const { db } = await openDatabase(t)

  const answers = await Promise.allSettled([sql`select nonsense`.execute(db), write(db, 'next')])

  t.same(answers.map(({ status }) => status), ['rejected', 'fulfilled'])
})

t.test('A full disk in a transaction is told as unavailable, and passes', async (t) => {
  const { db } = await openDatabase(t)
  const { rows: [{ pages }] } = await sql<{ pages: number }>`select page_count as pages from pragma_page_count`.execute(db) as { rows: [{ pages: number }] }
  const limit = async (count: number): Promise<void> => { await sql.raw(`pragma max_page_count = ${count}`).execute(db) }
  await limit(pages + 1)

  const transaction = db.transaction().execute(async (tx) => {
    for (let row = 0; row < 1000; row++) await write(tx, `${row}`.padStart(1000))
  })

  await t.rejects(transaction, { ...UNAVAILABLE, message: 'The database does not answer; try again later', cause: { errcode: 13 } })
  t.same((await sql`select count(*) as n from locks where length(name) = 1000`.execute(db)).rows, [{ n: 0 }])
  await limit(pages + 1000)
  await write(db, 'room again')
  t.equal(await read(db, 'room again'), 1)
})
