import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import t, { type Test } from 'tap'
import { migrate } from '../../../lib/database/migrate.ts'
import { openSqlite } from '../../../lib/database/sqlite-connection.ts'
import { createSqliteDialect } from '../../../lib/database/sqlite-dialect.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { migrations } from '../../../migrations/index.ts'
import { temporaryDirectory } from '../../helper.ts'
import { MODULES, openDatabase, startProcess } from './open.ts'

const START = `
  import { once } from 'node:events'
  import { Kysely } from '${import.meta.resolve('kysely')}'
  import { migrate } from '${MODULES}migrate.ts'
  import { openSqlite } from '${MODULES}sqlite-connection.ts'
  import { createSqliteDialect } from '${MODULES}sqlite-dialect.ts'
  process.stdout.write('ready')
  await once(process.stdin, 'data')
  const db = new Kysely({ dialect: createSqliteDialect(openSqlite(process.argv[1])) })
  process.stdout.write(JSON.stringify(await migrate(db)))
  await db.destroy()
  process.exit()`

const NAMES = Object.keys(migrations)

/** A database without a schema. */
function openEmpty (t: Test): Kysely<Tables> {
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(openSqlite(join(temporaryDirectory(t), 'latchkey.db'))) })
  t.teardown(async () => { await db.destroy() })
  return db
}

async function readSchema (db: Kysely<Tables>): Promise<unknown[]> {
  return (await sql`select type, name, sql from sqlite_schema order by type, name`.execute(db)).rows
}

t.test('Every migration is applied once, and its name is told', async (t) => {
  const db = openEmpty(t)

  t.same(await migrate(db), NAMES)
  t.same(await migrate(db), [])
})

t.test('Processes that start at once on one new file all succeed, and one of them makes the schema', async (t) => {
  const path = join(temporaryDirectory(t), 'latchkey.db')
  const processes = [startProcess(t, START, path), startProcess(t, START, path)]
  await Promise.all(processes.map(async (other) => await other.answer()))

  processes.forEach((other) => { other.tell() })
  const ends = await Promise.all(processes.map(async ({ end }) => await end))

  t.same(ends.map(({ code, stderr }) => ({ code, stderr })), [{ code: 0, stderr: '' }, { code: 0, stderr: '' }])
  t.same(ends.map(({ stdout }) => stdout.replace('ready', '')).toSorted(), [JSON.stringify(NAMES), '[]'])
  const { db } = await openDatabase(t, path)
  t.same(await db.selectFrom('roles').select('name').orderBy('name').execute(), [{ name: 'admin' }, { name: 'user' }])
})

t.test('A database of a newer version is refused and not changed', async (t) => {
  const { db } = await openDatabase(t)
  await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2100-01-01T00:00:00.000Z')`.execute(db)
  const before = await readSchema(db)

  await t.rejects(migrate(db), {
    name: 'StartupError',
    message: 'The database was migrated by a newer version of Latchkey; start that version, or restore a backup'
  })

  t.same(await readSchema(db), before)
})

t.test('A migration that fails leaves nothing behind and says why', async (t) => {
  const db = openEmpty(t)
  await sql`create table audit_events (id text)`.execute(db)
  const before = await readSchema(db)

  await t.rejects(migrate(db), { code: 'ERR_SQLITE_ERROR', message: 'table "audit_events" already exists' })

  t.same(await readSchema(db), before)
})

t.test('What belongs to a user or a role goes with it, and nothing belongs to nobody', async (t) => {
  const { db } = await openDatabase(t)
  const count = async (): Promise<unknown[]> => (await sql`select count(*) as n from user_roles`.execute(db)).rows
  await sql`insert into users (id, username, password_version, created_at, updated_at) values ('1', 'ada', 0, 0, 0), ('2', 'ben', 0, 0, 0)`.execute(db)
  await db.insertInto('user_roles').values([{ user_id: '1', role: 'admin' }, { user_id: '2', role: 'admin' }]).execute()

  await t.rejects(db.insertInto('user_roles').values({ user_id: '3', role: 'admin' }).execute(), { message: 'FOREIGN KEY constraint failed' })
  await t.rejects(db.insertInto('user_roles').values({ user_id: '1', role: 'king' }).execute(), { message: 'FOREIGN KEY constraint failed' })
  await db.deleteFrom('users').where('id', '=', '1').execute()
  t.same(await count(), [{ n: 1 }])
  await db.deleteFrom('roles').where('name', '=', 'admin').execute()
  t.same(await count(), [{ n: 0 }])
})
