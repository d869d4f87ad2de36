import { join } from 'node:path'
import t, { type Test } from 'tap'
import { MOVED_TABLES } from '../../lib/database/move.ts'
import { databasePath, readRows, runCommand, type CommandResult } from '../command.ts'
import { build, logIn, readProfile, refresh, SECRET, temporaryDirectory, testEnv, type Env } from '../helper.ts'
import { emptySchema, needsPostgres, query, until, withClient } from '../postgres.ts'

const USED = 'The target is in use already; name an empty database or schema\n'

async function move (env: Env, to: string, ...options: string[]): Promise<CommandResult> {
  return await runCommand(env, ['move', '--to', to, ...options])
}

/** An installation with something in most tables, which is not running any more. */
async function makeInstallation (t: Test, env: Env = {}) {
  const settings = testEnv(t, env)
  const app = await build(t, settings)
  const tokens = await logIn(app)
  await logIn(app, { grant_type: 'password', username: 'johndoe', password: 'wrong' }).catch(() => {})
  await app.inject({ method: 'POST', url: '/password-reset', payload: { email: 'johndoe@example.com' } })
  await app.outboxWorker.run()
  await app.roles.set({ name: 'clerk', scopes: ['orders:read'], description: 'Reads' }, {})
  for (let count = 0; count < 3; count++) await app.users.create({ username: `user${count}`, roles: ['clerk'] }, {})
  await app.close()
  return { settings, tokens }
}

/** A database with the schema, which nobody has used. */
async function emptyTarget (t: Test, { DATABASE_URL: _, ...settings }: Env): Promise<string> {
  const url = await emptySchema(t)
  await runCommand({ ...settings, DATABASE_URL: url }, ['role', 'list']) // makes the schema, and a key
  await query(url, 'truncate signing_keys, audit_events')
  return url
}

const ONLY_IN_SQLITE = 'announced_changes'

if (await needsPostgres(t)) {
  t.test('Everything is moved, and nobody is logged out', async (t) => {
    const { settings, tokens } = await makeInstallation(t, { LATCHKEY_SECRET: '' })
    const url = await emptySchema(t)

    const result = await move(settings, url)

    const secret = databasePath(settings).replace('.db', '.secret')
    t.same(result, { code: 0, stdout: `Moved 4 users and 1 sessions. Start with the new DATABASE_URL and LATCHKEY_SECRET_FILE=${secret}\n`, stderr: '' })
    // The client of the test gets numbers as text.
    const byText = (rows: object[]): string[] => rows.map((row) => Object.values(row).map(String).join()).toSorted()
    for (const table of MOVED_TABLES) {
      const columns = Object.keys(readRows(databasePath(settings), `select * from ${table} limit 1`)[0] ?? { 1: 1 })
      const select = `select ${columns.join(', ')} from ${table}`
      t.same(byText(await query(url, select)), byText(readRows(databasePath(settings), select)), table)
    }
    const { LATCHKEY_SECRET: _, ...rest } = settings
    const app = await build(t, { ...rest, LATCHKEY_SECRET: '', LATCHKEY_SECRET_FILE: secret, DATABASE_URL: url })
    t.equal((await readProfile(app, tokens.access_token)).statusCode, 200)
    t.equal((await refresh(app, tokens.refresh_token)).statusCode, 200)
  })

  t.test('The tables that are moved are all there are', async (t) => {
    const { settings } = await makeInstallation(t)

    const tables = readRows(databasePath(settings), "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like 'kysely_%'")

    t.strictSame(tables.map(({ name }) => name).toSorted(), [...MOVED_TABLES, ONLY_IN_SQLITE].toSorted())
  })

  t.test('More than fits into one statement is moved', async (t) => {
    const { settings } = await makeInstallation(t)
    const app = await build(t, settings)
    const rows = Array.from({ length: 1201 }, (_, index) => ({ name: `lock ${index}`, taken_at: index }))
    for (let first = 0; first < rows.length; first += 500) await app.db.insertInto('locks').values(rows.slice(first, first + 500)).execute()
    const count = readRows(databasePath(settings), 'select count(*) as count from locks')[0]?.count
    await app.close()
    const url = await emptySchema(t)

    const result = await move(settings, url, '--json')

    t.equal(result.code, 0)
    t.match(JSON.parse(result.stdout), { users: 4, locks: count })
    t.same(await query(url, 'select count(*)::int as count from locks'), [{ count }])
  })

  t.test('A target that is in use is refused and not changed', async (t) => {
    const { settings } = await makeInstallation(t)
    const url = await emptySchema(t)
    const used = await build(t, { DATABASE_URL: url, LATCHKEY_SECRET: `another ${SECRET}` })
    await used.close()
    const before = await query(url, 'select * from users')

    t.same(await move(settings, url), { code: 1, stdout: '', stderr: USED })

    t.same(await query(url, 'select * from users'), before)
  })

  t.test('Who begins to use the target meanwhile is waited for, and the target refused', async (t) => {
    const { settings } = await makeInstallation(t)
    const url = await emptyTarget(t, settings)

    const result = await withClient(url, async (client) => {
      await client.query('begin')
      await client.query("insert into users (id, username, password_version, created_at, updated_at) values ('eve', 'eve', 0, 0, 0)")
      const moving = move(settings, url)
      t.ok(await until(async () => (await query(url, "select from pg_locks where relation = 'users'::regclass and not granted")).length > 0))
      await client.query('commit')
      return await moving
    })

    t.same(result, { code: 1, stdout: '', stderr: USED })
    t.same(await query(url, 'select username from users'), [{ username: 'eve' }])
  })

  t.test('A move that fails half-way leaves nothing, and can be done again', async (t) => {
    const { settings } = await makeInstallation(t)
    const url = await emptyTarget(t, settings)
    await query(url, 'alter table audit_events add constraint nothing check (false)')

    const failed = await move(settings, url)
    await query(url, 'alter table audit_events drop constraint nothing')
    const users = await query(url, 'select * from users')
    const again = await move(settings, url)

    t.equal(failed.code, 1)
    t.match(failed.stderr, /violates check constraint "nothing"/)
    t.same(users, [])
    t.match(again, { code: 0, stderr: '' })
  })

  t.test('is refused', async (t) => {
    const nowhere = `file:${join(temporaryDirectory(t), 'nowhere.db')}`
    const url = await emptySchema(t)
    const SOURCE = 'DATABASE_URL must name the SQLite database that is to be moved\n'
    const cases = [
      { name: 'to a file', to: nowhere, stderr: '--to must be postgres://USER@HOST/DATABASE\n' },
      { name: 'to what is no URL', to: 'postgres://db', stderr: '--to must be postgres://USER@HOST/DATABASE\n' },
      { name: 'to where nobody listens', to: 'postgres://127.0.0.1:1/nowhere', stderr: /^The database can't be reached/ },
      { name: 'from where nothing is', env: { DATABASE_URL: nowhere }, to: url, stderr: SOURCE },
      { name: 'from PostgreSQL', env: { DATABASE_URL: url }, to: url, stderr: SOURCE }
    ]
    const { settings } = await makeInstallation(t)
    for (const { name, env = {}, to, stderr } of cases) {
      t.test(name, async (t) => {
        t.match(await move({ ...settings, ...env }, to), { code: 1, stdout: '', stderr })
      })
    }
  })
}
