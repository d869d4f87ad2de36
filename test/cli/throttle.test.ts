import t, { type Test } from 'tap'
import { emptyDatabase, readAudit, runCommand } from '../command.ts'
import { build, createUser, stopClock, testEnv, type Env } from '../helper.ts'
import { countedAt, startRedis } from '../redis.ts'
import { BEHIND_PROXY, failFrom, PASSWORD, tryFrom } from '../throttles.ts'

const HERE = '203.0.113.9'
const THERE = '2001:db8::1'

/** A running server where ada has failed from two networks. */
async function prepare (t: Test, more: Env = {}) {
  const env = testEnv(t, { ...BEHIND_PROXY, ...more })
  const app = await build(t, env)
  stopClock(app)
  const { id } = await createUser(app, { username: 'ada', password: PASSWORD, email: 'ada@example.com' })
  await failFrom(app, HERE, 6)
  await failFrom(app, THERE, 6, 'ada@example.com')
  return { env, app, id }
}

t.test('latchkey throttle list shows what is counted while the server runs', async (t) => {
  const { env } = await prepare(t)

  const [text, json] = await Promise.all([runCommand(env, ['throttle', 'list']), runCommand(env, ['throttle', 'list', '--json'])])

  t.match([text, json], [{ code: 0, stderr: '' }, { code: 0, stderr: '' }])
  t.match(text.stdout, /^RULE +USER +NETWORK +FAILURES +BLOCKED UNTIL\n/)
  t.match(text.stdout, /^account_network +ada +203\.0\.113\.9 +5 /m)
  t.match(text.stdout, /^network +- +2001:db8:0:0::\/64 +5 +-$/m)
  const counts = JSON.parse(json.stdout) as Array<Record<string, unknown>>
  t.equal(counts.length, 9)
  t.strictSame(Object.keys(counts[0] ?? {}), ['id', 'rule', 'user_id', 'username', 'network', 'failures', 'blocked_until', 'expires_at'])
})

t.test('latchkey throttle list says when there is nothing', async (t) => {
  const env = await emptyDatabase(t)

  t.same(await runCommand(env, ['throttle', 'list']), { code: 0, stdout: 'Nothing is counted\n', stderr: '' })
  t.same(await runCommand(env, ['throttle', 'list', '--json']), { code: 0, stdout: '[]\n', stderr: '' })
})

t.test('latchkey throttle clear --user lets the user in at once on a running server', async (t) => {
  const { env, app, id } = await prepare(t)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 429)

  const { code, stdout } = await runCommand(env, ['throttle', 'clear', '--user', 'ADA@example.com'])

  t.strictSame([code, stdout], [0, 'Forgot 7 counts\n'])
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
  t.match(readAudit(env).filter(({ type }) => type === 'throttles_cleared'), [{ outcome: 'success', actor_id: 'operator', user_id: id, details: '{"throttles":7}' }])
})

t.test('latchkey throttle clear --network and --all forget what they say', async (t) => {
  const { env, app } = await prepare(t)
  const rest = async () => (await app.throttleAdministration.list({})).map(({ network }) => network).filter((network) => network !== null)

  const ofNetwork = await runCommand(env, ['throttle', 'clear', '--network', '2001:db8:0:0:ffff::2', '--json'])
  t.match(ofNetwork, { code: 0, stdout: '{"cleared":3}\n' })
  t.strictSame(await rest(), [HERE, HERE, HERE])
  t.equal((await runCommand(env, ['throttle', 'clear', '--network', '2001:db8:0:0::/64'])).stdout, 'Forgot 0 counts\n')
  t.equal((await runCommand(env, ['throttle', 'clear', '--network', 'unknown'])).stdout, 'Forgot 0 counts\n')

  await app.db.deleteFrom('throttles').where('rule', '!=', 'network').execute()
  t.equal((await runCommand(env, ['throttle', 'clear', '--all'])).stdout, 'Forgot 1 count\n')
  t.strictSame(await rest(), [])
})

t.test('the operator is told what can not be cleared, and nothing is', async (t) => {
  const { env, app } = await prepare(t)
  const before = await app.throttleAdministration.list({})

  const attempts = [
    { args: [], says: 'Say one of --user, --network and --all\n' },
    { args: ['--user', 'ada', '--all'], says: 'Say one of --user, --network and --all\n' },
    { args: ['--user', 'nobody'], says: 'There is no such user\n' },
    { args: ['--network', 'localhost'], says: 'That is no IP address\n' }
  ]
  for (const { args, says } of attempts) t.same(await runCommand(env, ['throttle', 'clear', ...args]), { code: 1, stdout: '', stderr: says })

  t.strictSame(await app.throttleAdministration.list({}), before)
})

const redis = await startRedis(t)
if (redis !== undefined) {
  t.test('latchkey throttle shows and forgets what is counted in Redis', async (t) => {
    const { env, app } = await prepare(t, countedAt(redis))
    t.strictSame(await app.db.selectFrom('throttles').selectAll().execute(), [])

    const listed = await runCommand(env, ['throttle', 'list'])
    t.match(listed, { code: 0, stdout: /^account_network +ada +203\.0\.113\.9 +5 /m, stderr: '' })
    t.match(await runCommand(env, ['throttle', 'clear', '--network', HERE]), { code: 0, stdout: 'Forgot 3 counts\n' })
    t.match(await runCommand(env, ['throttle', 'clear', '--user', 'ada']), { code: 0, stdout: 'Forgot 5 counts\n' })
    t.match(await runCommand(env, ['throttle', 'clear', '--all']), { code: 0, stdout: 'Forgot 1 count\n' })

    t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
  })

  t.test('latchkey throttle says when Redis is away, and does what it can', async (t) => {
    const env = await emptyDatabase(t, { REDIS_URL: 'redis://:its-password@127.0.0.1:1' })

    const { code, stdout, stderr } = await runCommand(env, ['throttle', 'list'])

    t.strictSame([code, stdout], [0, 'Nothing is counted\n'])
    t.match(stderr, /Redis can not be used/)
    t.notMatch(stderr, /its-password/)
  })
}
