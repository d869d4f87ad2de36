import { copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { migrations } from '../../migrations/index.ts'
import { PASSWORD, PRODUCTION, readRows, runCommand } from '../command.ts'
import { build, fileOf, logIn, readProfile, refresh, temporaryDirectory, testEnv } from '../helper.ts'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

t.test('latchkey migrate makes the schema, and has nothing to do the second time', async (t) => {
  const directory = temporaryDirectory(t)
  const env = testEnv(t, { DATABASE_URL: `file:${directory}/latchkey.db` })

  const [first, second] = [await runCommand(env, ['migrate']), await runCommand(env, ['migrate', '--json'])]

  t.same(first, { code: 0, stdout: `${Object.keys(migrations).map((name) => `Applied ${name}\n`).join('')}The schema is up to date\n`, stderr: '' })
  t.same(second, { code: 0, stdout: '{"applied":[]}\n', stderr: '' })
  t.same(readRows(`${directory}/latchkey.db`, 'select name from roles order by name'), [{ name: 'admin' }, { name: 'user' }])
})

t.test('Only what an installation begins with makes a database that is not there', async (t) => {
  for (const args of [['backup', 'copy.db'], ['user', 'list'], ['user', 'disable', 'ada'], ['role', 'set', 'support', '--scope', 'users:read'], ['key', 'rotate'], ['throttle', 'clear', '--all']]) {
    t.test(`latchkey ${args.join(' ')} says so and makes nothing`, async (t) => {
      const directory = temporaryDirectory(t)
      const path = `${directory}/latchkey.db`

      const result = await runCommand(testEnv(t, { DATABASE_URL: `file:${path}`, LATCHKEY_SECRET: '' }), args)

      t.same(result, { code: 1, stdout: '', stderr: `There is no database ${path}: give the command the settings of the service, DATABASE_URL above all\n` })
      t.same(readdirSync(directory), [])
    })
  }
})

t.test('Whatever the command makes is for its owner only', async (t) => {
  const umask = process.umask(0o022)
  t.teardown(() => { process.umask(umask) })
  const directory = join(temporaryDirectory(t), 'data')
  const env = testEnv(t, { DATABASE_URL: `file:${directory}/latchkey.db`, LATCHKEY_SECRET: '' })

  const results = [
    await runCommand(env, ['user', 'create', '--username', 'ada'], { input: PASSWORD }),
    await runCommand(env, ['backup', join(directory, 'copy.db')])
  ]

  t.same(results.map(({ code, stderr }) => ({ code, stderr })), [{ code: 0, stderr: '' }, { code: 0, stderr: '' }])
  t.equal(modeOf(directory), '700')
  t.same(readdirSync(directory).map((name) => [name, modeOf(join(directory, name))]), [['copy.db', '600'], ['latchkey.db', '600'], ['latchkey.secret', '600']])
})

t.test('latchkey backup, while users log in', async (t) => {
  const env = testEnv(t, { LATCHKEY_SECRET: '' })
  const app = await build(t, env)
  const tokens = await logIn(app)
  const restored = join(temporaryDirectory(t), 'restored')
  mkdirSync(restored)
  const copy = join(restored, 'latchkey.db')
  const isOver = new AbortController()
  async function logInMeanwhile (): Promise<number> {
    let count = 0
    for (; !isOver.signal.aborted; count++) await logIn(app)
    return count
  }

  const logIns = logInMeanwhile()
  const result = await runCommand(env, ['backup', copy, '--json']).finally(() => { isOver.abort() })
  const count = await logIns

  t.test('writes a whole copy that only its owner can read', async (t) => {
    t.same(result, { code: 0, stdout: `${JSON.stringify({ file: copy })}\n`, stderr: '' })
    t.ok(count > 0)
    t.same(readRows(copy, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
    t.same(readRows(copy, 'pragma foreign_key_check'), [])
    t.equal(modeOf(copy), '600')
  })

  t.test('does not overwrite', async (t) => {
    const before = statSync(copy)

    const again = await runCommand(env, ['backup', copy])

    t.same(again, { code: 1, stdout: '', stderr: `${copy} exists already; a backup does not overwrite\n` })
    t.same([statSync(copy).size, statSync(copy).mtimeMs], [before.size, before.mtimeMs])
  })

  t.test('serves the sessions of its time, beside a copy of the secret', async (t) => {
    copyFileSync(join(fileOf(app.config), '../latchkey.secret'), join(restored, 'latchkey.secret'))

    const service = await build(t, { LATCHKEY_SECRET: '', DATABASE_URL: `file:${copy}` })

    t.equal((await readProfile(service, tokens.access_token)).json().username, 'johndoe')
    t.equal((await refresh(service, tokens.refresh_token)).statusCode, 200)
  })
})

t.test('The settings', async (t) => {
  const cases = [
    { name: 'come from .env too outside production', env: { NODE_ENV: 'development', DATABASE_URL: '' }, database: 'from-file.db' },
    { name: 'of the environment go before those of .env', env: { DATABASE_URL: 'file:./from-environment.db' }, database: 'from-environment.db' },
    { name: 'never come from .env in production', env: { ...PRODUCTION, DATABASE_URL: '' }, database: 'data' }
  ]
  for (const { name, env, database } of cases) {
    t.test(name, async (t) => {
      const cwd = temporaryDirectory(t)
      writeFileSync(join(cwd, '.env'), 'DATABASE_URL=file:./from-file.db\n')
      const settings = Object.fromEntries(Object.entries(testEnv(t, env)).filter(([, value]) => value !== ''))

      const { code, stderr } = await runCommand(settings, ['migrate'], { cwd })

      t.same({ code, stderr }, { code: 0, stderr: '' })
      t.same(readdirSync(cwd).sort(), ['.env', database])
    })
  }
  t.test('may not be in a .env that is no file', async (t) => {
    const cwd = temporaryDirectory(t)
    mkdirSync(join(cwd, '.env'))

    const result = await runCommand(testEnv(t, { NODE_ENV: 'development' }), ['migrate'], { cwd })

    t.same(result, { code: 1, stdout: '', stderr: '.env can\'t be read\n' })
  })
})
