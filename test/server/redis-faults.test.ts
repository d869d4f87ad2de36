import t, { type Test } from 'tap'
import { FORM_HEADERS, JOHN, testEnv, type Env } from '../helper.ts'
import { until } from '../postgres.ts'
import { countedAt, startRedis, type RedisServer } from '../redis.ts'
import { logInAt, post, readProfileAt, refreshAt, startServer, type ServerProcess } from '../server-process.ts'

/** No answer may take longer, in milliseconds: a hash, a moment for Redis, and what a busy machine adds. */
const LONGEST_ANSWER_MS = 4000
const AWAY = 'Redis can not be used'
const THERE = 'counted in Redis'

let networks = 0
/** Nobody has done anything from there. */
const newNetwork = (): string => `203.0.113.${networks++}`

interface Answer { status: number, ms: number }

async function tryAt ({ url }: ServerProcess, network: string, password: string): Promise<Answer> {
  const startedAt = performance.now()
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { ...FORM_HEADERS, 'x-forwarded-for': network },
    body: new URLSearchParams({ ...JOHN, password }).toString()
  })
  await response.arrayBuffer()
  return { status: response.status, ms: performance.now() - startedAt }
}

/** Log-ins go on, guesses are held up after those that are free, and nobody waits for long. */
async function servesWell (t: Test, server: ServerProcess): Promise<void> {
  const answers: Answer[] = []
  const [owner, stranger] = [newNetwork(), newNetwork()]
  for (let count = 0; count < 8; count++) {
    answers.push(...await Promise.all([tryAt(server, stranger, 'wrong'), tryAt(server, owner, JOHN.password)]))
  }

  const guesses = answers.filter((_, index) => index % 2 === 0).map(({ status }) => status)
  t.strictSame(guesses.slice(0, 5), [400, 400, 400, 400, 400])
  t.equal(guesses.at(-1), 429)
  t.ok(answers.every(({ status }, index) => index % 2 === 0 || status === 200), 'the owner logs in')
  t.ok(Math.max(...answers.map(({ ms }) => ms)) < LONGEST_ANSWER_MS, 'nobody waits for long')
  t.equal((await fetch(`${server.url}/health/ready`)).status, 200)
}

const timesLogged = ({ log }: ServerProcess, text: string): number => log().split(text).length - 1

async function countersIn ({ client }: RedisServer): Promise<number> {
  return (await client.keys('latchkey:*:counter:*')).length
}

/** What is counted is counted in Redis again. */
async function isBack (t: Test, server: ServerProcess, redis: RedisServer, times: number): Promise<void> {
  t.ok(await until(() => timesLogged(server, THERE) === times), 'it is used again')
  const before = await countersIn(redis)
  await tryAt(server, newNetwork(), 'wrong')
  t.ok(await countersIn(redis) > before, 'and counts')
}

const redis = await startRedis(t)
if (redis !== undefined) {
  const { client } = redis
  const envOf = (t: Test, env: Env = countedAt(redis)): Env => testEnv(t, { TRUST_PROXY: '127.0.0.1', ...env })

  const faults: Array<{ name: string, begin: () => Promise<unknown>, end: () => Promise<unknown> }> = [
    { name: 'Redis is killed', begin: redis.stop, end: redis.start },
    { name: 'Redis answers nothing any more', begin: async () => { redis.signal('SIGSTOP') }, end: async () => { redis.signal('SIGCONT') } },
    { name: 'Redis takes seconds for an answer', begin: async () => await client.client('PAUSE', 8000, 'ALL'), end: async () => await client.ping() },
    { name: 'Redis can only be read', begin: async () => await client.replicaof('127.0.0.1', '1'), end: async () => await client.replicaof('NO', 'ONE') },
    { name: 'Redis has no memory left', begin: async () => await client.config('SET', 'maxmemory', '1'), end: async () => await client.config('SET', 'maxmemory', '0') }
  ]

  for (const { name, begin, end } of faults) {
    t.test(`${name} while the service runs`, async (t) => {
      const server = await startServer(t, envOf(t))
      await servesWell(t, server)
      t.ok(await countersIn(redis) > 0)

      await begin()
      await servesWell(t, server)
      t.equal(timesLogged(server, AWAY), 1)
      await end()

      await isBack(t, server, redis, 2)
      await servesWell(t, server)
      t.equal(timesLogged(server, AWAY), 1)
    })

    t.test(`${name} before the service starts`, async (t) => {
      await begin()
      const server = await startServer(t, envOf(t))

      await servesWell(t, server)
      t.match([timesLogged(server, AWAY), timesLogged(server, THERE)], [1, 0])
      await end()

      await isBack(t, server, redis, 1)
    })
  }

  t.test('With a wrong password the database counts, and no log shows it', async (t) => {
    await client.config('SET', 'requirepass', 'right-password')
    t.teardown(async () => { await client.config('SET', 'requirepass', '') })
    const withPassword = (password: string): Env => ({ ...countedAt(redis), REDIS_URL: redis.url.replace('//', `//:${password}@`) })

    const server = await startServer(t, envOf(t, withPassword('wrong-password')))
    await servesWell(t, server)
    t.match(server.log(), /WRONGPASS/)
    t.match([timesLogged(server, AWAY), timesLogged(server, THERE), timesLogged(server, 'wrong-password')], [1, 0, 0])

    const other = await startServer(t, envOf(t, withPassword('right-password')))
    await isBack(t, other, redis, 1)
    t.equal(timesLogged(other, 'right-password'), 0)
  })

  t.test('A user who may do only what the documentation says can be used', async (t) => {
    await client.call('ACL', 'SETUSER', 'latchkey', 'on', '>its-password', '~latchkey:*', '+@read', '+@write', '+eval', '+select', '+client|setname')
    const server = await startServer(t, envOf(t, { ...countedAt(redis), REDIS_URL: redis.url.replace('//', '//latchkey:its-password@') }))

    await servesWell(t, server)

    await isBack(t, server, redis, 1)
    t.equal(timesLogged(server, AWAY), 0)
  })

  t.test('Redis starts empty: what was revoked stays revoked', async (t) => {
    const server = await startServer(t, envOf(t))
    const tokens = await logInAt(server)
    t.equal((await post(`${server.url}/revoke`, { token: tokens.refresh_token })).status, 200)

    await redis.stop()
    await redis.start()
    await isBack(t, server, redis, 2)

    t.equal((await readProfileAt(server, tokens.access_token)).status, 401)
    t.equal((await refreshAt(server, tokens.refresh_token)).status, 400)
  })
}
