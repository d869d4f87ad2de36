import { join } from 'node:path'
import { setImmediate as nextTick } from 'node:timers/promises'
import { Kysely } from 'kysely'
import t from 'tap'
import { openSqlite, type SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import { openSqliteReader } from '../../../lib/database/sqlite-reader.ts'
import { createSqliteDialect } from '../../../lib/database/sqlite-dialect.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { build, fileOf, JOHN, logIn, readProfile, requestToken, temporaryDirectory } from '../../helper.ts'
import { lockInOtherProcess, openDatabase, read, UNAVAILABLE, write } from './open.ts'

const LOCKED = { ...UNAVAILABLE, message: 'The database does not answer; try again later' }

/** Counts the turns of the event loop until the work is done. */
async function countTurns (work: Promise<unknown>): Promise<number> {
  let turns = 0
  const done = work.then(() => 'done', () => 'done')
  while (await Promise.race([done, nextTick('turn')]) !== 'done') turns++
  return turns
}

t.test('A writer behind the lock of another process gives up, and the event loop turns meanwhile', async (t) => {
  const { path, db } = await openDatabase(t)
  const release = await lockInOtherProcess(t, path)

  const refused = write(db, 'too early')
  const turns = await countTurns(refused)

  await t.rejects(refused, { ...LOCKED, cause: { errcode: 5 } })
  t.ok(turns > 50, `${turns} turns of the event loop`)
  await release()
  await write(db, 'in time')
  t.equal(await read(db, 'too early'), undefined)
  t.equal(await read(db, 'in time'), 1)
})

t.test('A transaction behind the lock has not begun', async (t) => {
  const { path, db } = await openDatabase(t)
  const release = await lockInOtherProcess(t, path)
  let hasRun = false

  const refused = db.transaction().execute(async () => { hasRun = true })

  await t.rejects(refused, LOCKED)
  t.equal(hasRun, false)
  await release()
  await db.transaction().execute(async (tx) => { await write(tx, 'in time') })
  t.equal(await read(db, 'in time'), 1)
})

t.test('A lock that goes within the budget costs nobody an answer', async (t) => {
  const { path, db } = await openDatabase(t)
  const release = await lockInOtherProcess(t, path)

  const answers = Promise.all([write(db, 'one'), write(db, 'two'), read(db, 'one')])
  await nextTick()
  await release()

  t.same(await answers, [undefined, undefined, 1])
})

t.test('Many who wait behind the lock give up together, and nearly none of them tries the file again', async (t) => {
  const CALLERS = 200
  let tries = 0
  const connection = openSqlite(join(temporaryDirectory(t), 'latchkey.db'))
  const counting: SqliteConnection = { ...connection, run: (sql, parameters) => { tries++; return connection.run(sql, parameters) } }
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(counting) })
  t.teardown(async () => { await db.destroy() })
  connection.run('create table locks (name text primary key, taken_at bigint)', [])
  const release = await lockInOtherProcess(t, connection.first<{ file: string }>('pragma database_list', [])?.file ?? '')
  let triesOfFirst = 0
  let answered = 0

  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    await t.rejects(write(db, `${caller}`).finally(() => { answered++ }), LOCKED)
    triesOfFirst ||= tries
  })
  await Promise.race(callers)
  await nextTick()

  t.equal(answered, CALLERS, 'nobody waits any longer than the first')
  // One more caller may have begun to wait within the same instant.
  t.ok(tries - triesOfFirst <= 1, `${tries - triesOfFirst} more tries`)
  await Promise.all(callers)
  await release()
  await write(db, 'in time')
  t.equal(await read(db, 'in time'), 1)
})

t.test('Reading goes on behind the lock', async (t) => {
  const { path, db } = await openDatabase(t)
  await write(db, 'before')
  const reader = openSqliteReader(path)
  t.teardown(() => { reader.close() })

  await lockInOtherProcess(t, path)

  t.equal(await read(db, 'before'), 1)
  t.same(reader.first('select taken_at from locks where name = ?', ['before']), { taken_at: 1 })
})

t.test('A single row that is asked for behind the lock is unavailable too', async (t) => {
  const { path, connection } = await openDatabase(t)
  await lockInOtherProcess(t, path)

  t.throws(() => connection.first('update locks set taken_at = 2 returning name', []), LOCKED)
})

t.test('The service answers 503 behind the lock, shows profiles all the time and logs in again afterwards', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)
  const release = await lockInOtherProcess(t, fileOf(app.config))

  const logins = Promise.all(Array.from({ length: 5 }, async () => await requestToken(app, JOHN)))
  const profile = await readProfile(app, token)

  t.equal(profile.statusCode, 200)
  for (const response of await logins) {
    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '1')
    t.same(response.json(), { error: 'temporarily_unavailable', error_description: 'The database does not answer; try again later' })
  }
  await release()
  t.equal((await requestToken(app, JOHN)).statusCode, 200)
})
