import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql, type Kysely } from 'kysely'
import t from 'tap'
import type { SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { temporaryDirectory } from '../../helper.ts'
import { MODULES, read, startProcess, UNAVAILABLE, write } from './open.ts'
import { BEFORE_COMMIT, openWatched } from './watched.ts'

const FAULT = new Error('the disk is gone')
const DISK_FULL = { ...UNAVAILABLE, message: 'The database does not answer; try again later', cause: { errcode: 13 } }

const FAIL_ALWAYS = `
  import { setImmediate as nextTurn } from 'node:timers/promises'
  import { openSqlite } from '${MODULES}sqlite-connection.ts'
  import { createSqliteWriter } from '${MODULES}sqlite-writer.ts'
  const connection = openSqlite(process.argv[1])
  const writer = createSqliteWriter({
    ...connection,
    run (sql, parameters) {
      if (sql === 'commit' || sql === 'rollback') throw new Error(sql + ' failed')
      return connection.run(sql, parameters)
    }
  }, () => {})
  const told = []
  process.on('unhandledRejection', ({ message }) => { told.push(message + ', and nobody caught it') })
  for (const name of ['cats', 'dogs']) {
    await writer.execute('create table ' + name + ' (name text)', [], false).catch(({ message }) => { told.push(message) })
    await nextTurn()
  }
  process.stdout.write(JSON.stringify(told))`

function fail (): never {
  throw FAULT
}

/** Lets the file grow by so many pages. */
async function leaveRoom (db: Kysely<Tables>, pages: number): Promise<void> {
  const { rows: [{ count }] } = await sql<{ count: number }>`select page_count as count from pragma_page_count`.execute(db) as { rows: [{ count: number }] }
  await sql.raw(`pragma max_page_count = ${count + pages}`).execute(db)
}

/** Writes a row that there is no room for; SQLite rolls back all that is not committed. */
async function overfill (db: Kysely<Tables>): Promise<void> {
  await write(db, 'x'.repeat(1_000_000))
}

const commitFaults: Record<string, [before: string, fault: (connection: SqliteConnection) => never]> = {
  'A commit that fails': ['commit', fail],
  'A commit that fails after SQLite has rolled back by itself': ['commit', (connection) => {
    connection.run('rollback', [])
    throw FAULT
  }],
  'A fault right before the commit': [BEFORE_COMMIT, fail]
}

for (const [name, fault] of Object.entries(commitFaults)) {
  t.test(`${name} is told to all who wait for it, leaves nothing behind, and passes`, async (t) => {
    const { db, faults, readElsewhere } = await openWatched(t)
    faults.set(...fault)

    const answers = await Promise.allSettled([
      write(db, 'one'),
      db.transaction().execute(async (tx) => { await write(tx, 'two') }),
      read(db, 'one'),
      write(db, 'three')
    ])

    t.same(answers.map((answer) => answer.status === 'rejected' && answer.reason), [FAULT, FAULT, FAULT, FAULT])
    t.same(await Promise.all(['one', 'two', 'three'].map(async (name) => await read(db, name))), [undefined, undefined, undefined])
    await write(db, 'next')
    t.equal(readElsewhere('next'), 1)
  })
}

t.test('A commit that fails when all have rolled back is nobody\'s fault', async (t) => {
  const { db, faults, count, readElsewhere } = await openWatched(t)
  faults.set('commit', fail)

  await t.rejects(db.transaction().execute(async () => { throw new Error('changed my mind') }), { message: 'changed my mind' })
  while (count('commit') === 0) await nextTurn()
  await nextTurn() // a rejection that nobody waits for would show now

  await write(db, 'next')
  t.equal(readElsewhere('next'), 1)
})

t.test('A commit that can neither be made nor taken back is an error that nobody caught, and nobody waits for ever', async (t) => {
  const { answer } = startProcess(t, FAIL_ALWAYS, join(temporaryDirectory(t), 'pets.db'))

  t.same(JSON.parse(await answer()), ['commit failed', 'rollback failed, and nobody caught it', 'cannot start a transaction within a transaction'])
})

t.test('A transaction that can\'t be taken back takes all others with it, and gives its turn on', async (t) => {
  const { db, faults, readElsewhere } = await openWatched(t)
  faults.set('rollback to member', fail)

  const answers = await Promise.allSettled([
    write(db, 'with it'),
    db.transaction().execute(async (tx) => {
      await write(tx, 'half an act')
      throw new Error('changed my mind')
    })
  ])

  t.match(answers, [{ reason: FAULT }, { reason: { message: 'changed my mind' } }])
  t.equal(readElsewhere('with it'), undefined)
  t.equal(readElsewhere('half an act'), undefined)
  await write(db, 'next')
  t.equal(readElsewhere('next'), 1)
})

t.test('A disk that is full is told to all whose changes are lost by it, whoever filled it', async (t) => {
  const fillers = {
    'by itself': overfill,
    'in a transaction': async (db: Kysely<Tables>) => { await db.transaction().execute(async (tx) => { await overfill(tx) }) }
  }
  for (const [name, fill] of Object.entries(fillers)) {
    t.test(name, async (t) => {
      const { db, readElsewhere } = await openWatched(t)
      await leaveRoom(db, 1)

      const answers = await Promise.allSettled([
        write(db, 'one'),
        db.transaction().execute(async (tx) => { await write(tx, 'two') }),
        read(db, 'one'),
        fill(db),
        write(db, 'afterwards')
      ])

      const lost = { reason: DISK_FULL }
      t.match(answers, [lost, lost, lost, lost, { status: 'fulfilled' }])
      t.same(['one', 'two', 'afterwards'].map(readElsewhere), [undefined, undefined, 1])
    })
  }
})

t.test('A transaction that goes on after a full disk runs nothing and is not taken for done', async (t) => {
  const { db, ran, readElsewhere } = await openWatched(t)
  await leaveRoom(db, 1)
  const attempts: unknown[] = []

  const transaction = db.transaction().execute(async (tx) => {
    await overfill(tx).catch((error: unknown) => { attempts.push(error) })
    ran.length = 0
    await write(tx, 'half an act').catch((error: unknown) => { attempts.push(error) })
  })

  await t.rejects(transaction, UNAVAILABLE)
  t.match(attempts, [DISK_FULL, UNAVAILABLE])
  t.same(ran, [])
  t.equal(readElsewhere('half an act'), undefined)
  await write(db, 'next')
  t.equal(readElsewhere('next'), 1)
})
