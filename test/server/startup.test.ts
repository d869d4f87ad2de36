import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { databasePath, readRows } from '../command.ts'
import { build, SECRET, temporaryDirectory, testEnv, type Env } from '../helper.ts'
import { logInAt, readProfileAt, refreshAt, startServer } from '../server-process.ts'

const OLD = SECRET
const NEW = randomBytes(48).toString('base64url')
const OTHER_SECRET = 'The service secret does not open the signing keys of this database: start with the secret that it was made with, or, to change the secret, with a list: LATCHKEY_SECRET=new,old'

/** Starts the service as a process that must give up: what it says, with its exit code before it. */
async function failedStart (t: Test, env: Env): Promise<string> {
  try {
    await startServer(t, env)
  } catch (error) {
    return (error as Error).message
  }
  return 'The server started'
}

const gaveUp = (sentence: string): string => `The server ended with 1: ${sentence}\n`

/** Settings whose database has been in use. */
async function usedDatabase (t: Test, changes: Env = {}): Promise<Env> {
  const env = testEnv(t, changes)
  await (await build(t, env)).close()
  return env
}

t.test('Wrong settings are listed all at once, by their names, and none of them is shown', async (t) => {
  const wrong = {
    NODE_ENV: 'production',
    PORT: 'port-value',
    ACCESS_TOKEN_TTL: '987654321',
    SIGNING_ALG: 'HS256-value',
    PUBLIC_URL: 'ftp://public-value',
    TRUST_PROXY: 'proxy-value',
    LATCHKEY_SECRET: 'secret-value',
    LATCHKEY_SERCET: 'misspelled-value'
  }
  const env = testEnv(t, wrong)

  const message = await failedStart(t, env)

  const [headline, ...problems] = message.trimEnd().split('\n')
  t.equal(headline, gaveUp('The settings are wrong:').trimEnd())
  t.same(problems.map((problem) => /^ {2}- (\w+) \S/.exec(problem)?.[1]).toSorted(),
    ['ACCESS_TOKEN_TTL', 'ARGON2_MEMORY_KIB', 'LATCHKEY_SECRET', 'LATCHKEY_SERCET', 'PORT', 'PUBLIC_URL', 'SIGNING_ALG', 'TRUST_PROXY'])
  t.notMatch(message, /-value|987654321/)
  t.same(readdirSync(dirname(databasePath(env))), [], 'nothing is made')
})

t.test('What is wrong with the database stops the start in one sentence', async (t) => {
  const faults: Array<{ name: string, spoil: (path: string) => void, sentence: (path: string) => string }> = [
    {
      name: 'a file that is cut to half',
      spoil: (path) => { truncateSync(path, statSync(path).size / 2) },
      sentence: (path) => `The database ${path} is damaged or is not an SQLite database; restore a backup`
    },
    {
      name: 'a file that is empty',
      spoil: (path) => { truncateSync(path) },
      sentence: (path) => `The database ${path} is empty; restore a backup, or delete the file to begin anew`
    }
  ]

  for (const { name, spoil, sentence } of faults) {
    t.test(name, async (t) => {
      const env = await usedDatabase(t)
      const path = databasePath(env)
      spoil(path)

      t.equal(await failedStart(t, env), gaveUp(sentence(path)))
    })
  }

  t.test('a place where no file can be', async (t) => {
    const file = join(temporaryDirectory(t), 'file')
    writeFileSync(file, '')
    const path = join(file, 'data', 'latchkey.db')

    t.equal(await failedStart(t, testEnv(t, { DATABASE_URL: `file:${path}` })),
      gaveUp(`The database ${path} can't be opened: check that the directory exists and can be written`))
  })
})

t.test('Another secret than that of the database is noticed at the start, which changes nothing', async (t) => {
  const env = await usedDatabase(t)
  const readKeys = () => readRows(databasePath(env), 'select * from signing_keys')
  const keys = readKeys()

  t.equal(await failedStart(t, { ...env, LATCHKEY_SECRET: NEW }), gaveUp(OTHER_SECRET))

  t.same(readKeys(), keys)
  t.equal(await (await startServer(t, env)).stop('SIGTERM'), 0, 'and the right one starts')
})

t.test('A database whose secret file is gone does not start, and gets no new secret', async (t) => {
  const env = await usedDatabase(t, { LATCHKEY_SECRET: '' })
  const path = databasePath(env)
  const secret = path.replace('.db', '.secret')
  rmSync(secret)

  t.equal(await failedStart(t, env), gaveUp(`The database ${path} exists but its secret ${secret} does not; restore that file or set LATCHKEY_SECRET to the secret it was made with`))

  t.same(readdirSync(dirname(path)), ['latchkey.db'])
})

t.test('A secret is changed with a list, and costs nobody a login', async (t) => {
  const env = testEnv(t, { LATCHKEY_SECRET: OLD })
  const readKids = () => readRows(databasePath(env), 'select kid from signing_keys')
  const before = await startServer(t, env)
  const old = await logInAt(before)
  await before.stop('SIGTERM')
  const kids = readKids()

  const between = await startServer(t, { ...env, LATCHKEY_SECRET: `${NEW},${OLD}` })
  t.equal((await readProfileAt(between, old.access_token)).status, 200)
  const refreshed = await refreshAt(between, old.refresh_token)
  t.equal(refreshed.status, 200, 'a refresh token of the old secret is exchanged')
  const { refresh_token: fresh } = await refreshed.json() as { refresh_token: string }
  await between.stop('SIGTERM')

  const after = await startServer(t, { ...env, LATCHKEY_SECRET: NEW })
  t.equal((await readProfileAt(after, old.access_token)).status, 200, 'the key that signed it is still there')
  t.equal((await refreshAt(after, fresh)).status, 200)
  t.equal((await refreshAt(after, old.refresh_token)).status, 400, 'what only the old secret signed is nothing any more')
  await after.stop('SIGTERM')

  t.same(readKids(), kids)
  t.equal(await failedStart(t, { ...env, LATCHKEY_SECRET: OLD }), gaveUp(OTHER_SECRET), 'the old secret opens nothing any more')
})

t.test('A start that fails at its port leaves the database as good as it was', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { other.close() })
  await once(other, 'listening')
  const address = other.address()
  const port = String(typeof address === 'object' && address?.port)
  const env = await usedDatabase(t)

  t.equal(await failedStart(t, { ...env, PORT: port }), gaveUp(`HOST and PORT: listen EADDRINUSE: address already in use 127.0.0.1:${port}`))

  t.equal(await (await startServer(t, env)).stop('SIGTERM'), 0)
})
