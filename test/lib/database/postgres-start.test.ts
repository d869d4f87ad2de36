import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { OpenDatabase } from '../../../lib/database/database.ts'
import { openPostgresDatabase } from '../../../lib/database/open-postgres.ts'
import { migrations } from '../../../migrations/index.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { emptySchema, needsPostgres, query, TEST_DATABASE_URL } from '../../postgres.ts'

const NAMES = Object.keys(migrations)
const SILENT = { info: () => {}, warn: () => {} }

async function open (t: Test, url: string): Promise<OpenDatabase> {
  const database = await openPostgresDatabase(url, SILENT)
  t.teardown(database.close)
  return database
}

/** The URL with changes. */
function at (changes: Partial<URL>, url = TEST_DATABASE_URL): string {
  return Object.assign(new URL(url), changes).href
}

const refused = [
  { name: 'where nobody listens', url: at({ port: '1' }), message: "The database can't be reached: check DATABASE_URL, that PostgreSQL runs there, and its certificate if TLS is asked for" },
  { name: 'whose host does not exist', url: at({ hostname: 'nowhere.invalid' }), message: /can't be reached/ },
  { name: 'that has no TLS', url: at({ search: '?sslmode=require' }), message: /can't be reached/ },
  { name: 'whose certificate can not be read', url: at({ search: '?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem' }), message: /can't be reached/ },
  { name: 'that does not exist', url: at({ pathname: '/nowhere' }), message: 'The database that DATABASE_URL names does not exist' },
  { name: 'whose user does not exist', url: at({ username: 'nobody' }), message: 'The database refuses the user or the password of DATABASE_URL, or connections from here' },
  { name: 'without the schema', url: at({ search: '?options=-csearch_path%3Dnowhere' }), message: 'The database has no schema to make tables in: create the one that DATABASE_URL names' }
]

if (await needsPostgres(t)) {
  for (const { name, url, message } of refused) {
    t.test(`A database ${name} stops the start with one sentence`, async (t) => {
      await t.rejects(openPostgresDatabase(url, SILENT), { name: 'StartupError', message })
    })
  }

  t.test('A database that can not be written stops the start with one sentence', async (t) => {
    const url = (await emptySchema(t)).replace('options=', 'options=-c+default_transaction_read_only%3Don+')

    await t.rejects(openPostgresDatabase(url, SILENT), { name: 'StartupError', message: "The database is a standby, which can't be written; name the primary in DATABASE_URL" })
  })

  t.test('A schema that the user may not write in stops the start with one sentence', async (t) => {
    const url = await emptySchema(t)
    const user = `reader_${randomUUID().replaceAll('-', '')}`
    await query(url, `create role ${user} login`)
    t.teardown(async () => { await query(url, `drop owned by ${user}; drop role ${user}`) })
    await query(url, `do $$ begin execute 'grant usage on schema ' || current_schema() || ' to ${user}'; end $$`)

    await t.rejects(openPostgresDatabase(at({ username: user }, url), SILENT), { name: 'StartupError', message: 'The database does not let the user of DATABASE_URL make tables' })
  })

  t.test('Every migration is applied once, and its name is told', async (t) => {
    const url = await emptySchema(t)

    const [first, second] = [await open(t, url), await open(t, url)]

    t.strictSame([first.applied, second.applied], [NAMES, []])
  })

  t.test('Of processes that start at once one makes the schema', async (t) => {
    const url = await emptySchema(t)

    const databases = await Promise.all(Array.from({ length: 5 }, async () => await open(t, url)))

    t.strictSame(databases.map(({ applied }) => applied).toSorted((a, b) => a.length - b.length), [[], [], [], [], NAMES])
    t.same(await databases[0]?.db.selectFrom('roles').select('name').orderBy('name').execute(), [{ name: 'admin' }, { name: 'user' }])
  })

  t.test('A database of a newer version is refused', async (t) => {
    const url = await emptySchema(t)
    const { db } = await open(t, url)
    await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2100-01-01T00:00:00.000Z')`.execute(db)

    await t.rejects(openPostgresDatabase(url, SILENT), {
      name: 'StartupError',
      message: 'The database was migrated by a newer version of Latchkey; start that version, or restore a backup'
    })
  })

  t.test('A migration that fails leaves nothing behind and says why', async (t) => {
    const url = await emptySchema(t)
    await query(url, 'create table audit_events (id text)')

    await t.rejects(openPostgresDatabase(url, SILENT), { code: '42P07', message: 'relation "audit_events" already exists' })

    t.same(await query(url, 'select table_name from information_schema.tables where table_schema = current_schema()'), [{ table_name: 'audit_events' }])
  })

  t.test('Text is compared and sorted by its bytes, as SQLite does, in every column', async (t) => {
    const url = await emptySchema(t)
    await open(t, url)

    const columns = await query(url, "select distinct collation_name from information_schema.columns where table_schema = current_schema() and data_type = 'text'")

    t.same(columns, [{ collation_name: 'C' }])
  })

  t.test('The connections of requests are bounded by the server', async (t) => {
    const { db } = await open(t, await emptySchema(t))

    const bounds = await sql`select name, setting from pg_settings where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name`.execute(db)

    t.same(bounds.rows.map((row) => Object.values(row as object)), [['idle_in_transaction_session_timeout', '5000'], ['lock_timeout', '1500'], ['statement_timeout', '2000']])
  })

  t.test('Behind a pooler', async (t) => {
    const proxy = await startProxy(t, await emptySchema(t), { isPooler: true })
    const { db, rememberRead, ping, applied } = await open(t, proxy.url)

    t.test('everything works', async (t) => {
      await ping()

      t.strictSame(applied, NAMES)
      t.equal((await db.selectFrom('roles').selectAll().execute()).length, 2)
    })

    t.test('nobody asks for what a pooler does not have', async (t) => {
      await db.transaction().execute(async (tx) => await tx.selectFrom('roles').selectAll().execute())

      t.notMatch(proxy.sent(), /(?:statement|lock|session)_timeout\0|listen /)
    })

    t.test('a transaction has its bounds', async (t) => {
      const { rows } = await db.transaction().execute(async (tx) => await sql<{ bound: string }>`select current_setting('statement_timeout') as bound`.execute(tx))

      t.same(rows, [{ bound: '2s' }])
    })

    t.test('nothing is remembered, since no change is heard of', async (t) => {
      let reads = 0
      const find = rememberRead(async () => ++reads)

      t.strictSame([await find('a'), await find('a')], [1, 2])
    })
  })

  t.test('A backup is left to the tools of PostgreSQL', async (t) => {
    const { backup } = await open(t, await emptySchema(t))

    t.throws(() => { backup('copy.db') }, { name: 'StartupError', message: 'A PostgreSQL database is copied with its own tools, such as pg_dump' })
  })
}
