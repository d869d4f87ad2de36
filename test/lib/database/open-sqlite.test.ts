import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { openSqliteDatabase } from '../../../lib/database/open-sqlite.ts'
import { openDatabase } from './open.ts'

t.test('A database that can not be brought up to date is closed again, by reader and writer', async (t) => {
  const { path, db } = await openDatabase(t)
  await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2100-01-01T00:00:00.000Z')`.execute(db)
  const closed = t.capture(DatabaseSync.prototype, 'close', DatabaseSync.prototype.close)

  await t.rejects(openSqliteDatabase(path), { name: 'StartupError' })

  t.equal(closed().length, 2)
})

t.test('What is remembered is read again when somebody has changed its user, not after a log-in', async (t) => {
  const { path, db } = await openDatabase(t)
  for (const name of ['ada', 'ben']) await sql`insert into users (id, username, password_version, created_at, updated_at) values (${name}, ${name}, 0, 0, 0)`.execute(db)
  const { rememberRead, close } = await openSqliteDatabase(path)
  t.teardown(close)
  const reads: string[] = []
  const read = async (user: string): Promise<string> => {
    reads.push(user)
    return user
  }
  const findOf = rememberRead(read, (user) => user)
  const findUnowned = rememberRead(async () => await read('nobody'))

  async function readsAfter (statement: string): Promise<string[]> {
    await sql.raw(statement).execute(db)
    await nextTurn()
    for (const user of ['ada', 'ben']) await findOf(user)
    await findUnowned('anything')
    return reads.splice(0)
  }

  t.strictSame(await readsAfter('update users set last_login_at = 1'), ['ada', 'ben', 'nobody'])
  t.strictSame(await readsAfter('update users set last_login_at = 2'), [])
  t.strictSame(await readsAfter("update users set disabled_at = 1 where id = 'ada'"), ['ada', 'nobody'])
  t.strictSame(await readsAfter("update roles set scopes = ''"), ['ada', 'ben', 'nobody'])
})
