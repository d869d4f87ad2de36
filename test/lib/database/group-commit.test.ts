import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import t from 'tap'
import type { Tables } from '../../../lib/database/tables.ts'
import { read, write } from './open.ts'
import { BEFORE_COMMIT, openWatched } from './watched.ts'

type Db = Kysely<Tables>

const writeInTransaction = async (db: Db, name: string): Promise<void> => {
  await db.transaction().execute(async (tx) => { await write(tx, name) })
}

async function changeMind (db: Db, name: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await write(tx, name)
    throw new Error('changed my mind')
  })
}

t.test('What parallel callers write within one turn of the event loop is committed together', async (t) => {
  const { db, count, readElsewhere } = await openWatched(t)

  await Promise.all([write(db, 'one'), writeInTransaction(db, 'two'), write(db, 'three'), writeInTransaction(db, 'four')])

  t.equal(count('begin immediate'), 1)
  t.equal(count('commit'), 1)
  t.same(['one', 'two', 'three', 'four'].map(readElsewhere), [1, 1, 1, 1])
})

t.test('It does not matter when within the turn they come', async (t) => {
  const { db, count } = await openWatched(t)

  await Promise.all(Array.from({ length: 20 }, async (_, caller) => {
    for (let tick = 0; tick < caller; tick++) await new Promise<void>((resolve) => { process.nextTick(resolve) })
    await write(db, `${caller}`)
  }))

  t.equal(count('commit'), 1)
})

t.test('Every caller goes on only when its changes are on the disk', async (t) => {
  const { db, readElsewhere } = await openWatched(t)
  const writers = { 'by itself': write, 'in a transaction': writeInTransaction, 'by itself too': write }

  const seen = await Promise.all(Object.entries(writers).map(async ([name, writer]) => {
    await writer(db, name)
    return readElsewhere(name)
  }))

  t.same(seen, [1, 1, 1])
})

t.test('A transaction that rolls back takes back its own changes and no others of those it would be committed with', async (t) => {
  const { db, count, readElsewhere } = await openWatched(t)

  const answers = await Promise.allSettled([write(db, 'one'), changeMind(db, 'undone'), writeInTransaction(db, 'two'), changeMind(db, 'undone too'), write(db, 'three')])

  t.match(answers, [{ value: undefined }, { reason: { message: 'changed my mind' } }, { value: undefined }, { reason: { message: 'changed my mind' } }, { value: undefined }])
  t.equal(count('commit'), 1)
  t.same(['one', 'undone', 'two', 'undone too', 'three'].map(readElsewhere), [1, undefined, 1, undefined, 1])
  t.equal(count('release member'), count('savepoint member'), 'no savepoint is left over')
})

t.test('A statement that fails is only its own fault', async (t) => {
  const { db, count, readElsewhere } = await openWatched(t)

  const answers = await Promise.allSettled([write(db, 'one'), db.insertInto('locks').values({ name: 'one', taken_at: 2 }).execute(), write(db, 'two')])

  t.match(answers, [{ status: 'fulfilled' }, { reason: { message: 'UNIQUE constraint failed: locks.name' } }, { status: 'fulfilled' }])
  t.equal(count('commit'), 1)
  t.same(['one', 'two'].map(readElsewhere), [1, 1])
})

t.test('A transaction that still runs when the others are due holds them back until it ends', async (t) => {
  const { db, count, readElsewhere } = await openWatched(t)
  let isFirstDone = false

  const first = write(db, 'first').finally(() => { isFirstDone = true })
  const meanwhile = await db.transaction().execute(async (tx) => {
    await write(tx, 'half an act')
    for (let turn = 0; turn < 3; turn++) await nextTurn()
    const meanwhile = { commits: count('commit'), isFirstDone }
    await write(tx, 'a whole act')
    return meanwhile
  })
  await first

  t.same(meanwhile, { commits: 0, isFirstDone: false })
  t.equal(count('commit'), 1)
  t.same(['first', 'half an act', 'a whole act'].map(readElsewhere), [1, 1, 1])
})

t.test('A read that sees what is not yet committed answers when it is', async (t) => {
  const { db, count, readElsewhere } = await openWatched(t)

  const written = write(db, 'new')
  const seen = await read(db, 'new')
  const onDisk = readElsewhere('new')
  await written

  t.equal(seen, 1)
  t.equal(onDisk, 1)
  t.equal(count('commit'), 1)
})

t.test('A read while nobody writes takes no lock and is nothing to commit', async (t) => {
  const { db, ran } = await openWatched(t)

  await Promise.all([read(db, 'one'), read(db, 'two')])
  await nextTurn()

  t.match(ran, [/^select "taken_at" /, /^select "taken_at" /])
})

t.test('What is to be done right before a commit is done before each, and before nothing else', async (t) => {
  const { db, ran } = await openWatched(t)

  await write(db, 'one')
  await read(db, 'one')
  await writeInTransaction(db, 'two')

  t.match(ran, [
    'begin immediate', /^insert /, BEFORE_COMMIT, 'commit',
    /^select /,
    'begin immediate', 'savepoint member', /^insert /, 'release member', BEFORE_COMMIT, 'commit'
  ])
})

t.test('Closing', async (t) => {
  t.test('commits what is not yet committed', async (t) => {
    const { db, ran, readElsewhere } = await openWatched(t)

    const written = write(db, 'last')
    while (ran.length < 2) await Promise.resolve() // still in this turn of the event loop
    const isOnDisk = readElsewhere('last')
    await db.destroy()

    t.equal(isOnDisk, undefined)
    t.equal(readElsewhere('last'), 1)
    t.match(ran, ['begin immediate', /^insert /, BEFORE_COMMIT, 'commit'])
    await written
  })

  t.test('waits for a transaction that runs', async (t) => {
    const { db, readElsewhere } = await openWatched(t)
    let closed: Promise<void> | undefined

    await db.transaction().execute(async (tx) => {
      closed = db.destroy()
      await nextTurn()
      await write(tx, 'last')
    })
    await closed

    t.equal(readElsewhere('last'), 1)
  })

  t.test('lets nobody wait for ever who comes too late', async (t) => {
    const { db } = await openWatched(t)

    const closed = db.destroy()
    const late = write(db, 'late')

    await t.rejects(late, { message: 'database is not open' })
    await closed
  })

  t.test('commits nothing when nothing was written', async (t) => {
    const { db, ran } = await openWatched(t)

    await db.destroy()

    t.same(ran, [])
  })
})
