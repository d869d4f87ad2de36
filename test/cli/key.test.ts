import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { PUBLISH_AHEAD_MS } from '../../lib/key-schedule.ts'
import { generateSigningKey } from '../../lib/signing-keys.ts'
import { databasePath, emptyDatabase, readAudit, readRows, runCommand } from '../command.ts'
import { build, logIn, readProfile, refresh, testEnv } from '../helper.ts'

const KEY_KEYS = ['activates_at', 'alg', 'created_at', 'kid', 'state']
const MINUTE = 60_000

t.test('latchkey key rotate publishes a key, and list tells which one signs', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  const { kid: signs, activatesAt } = app.keyRing.current()
  const { kid: retired, alg, privatePem } = await generateSigningKey('ES256')
  const earlier = { createdAt: activatesAt - MINUTE, activatesAt: activatesAt - MINUTE, revokedAt: null }
  await app.signingKeys.add({ kid: retired, alg, privateKey: app.vault.seal(privatePem, `signing key ${retired}`), ...earlier }, { isWanted: () => true, revokeOthers: false }, {})

  const startedAt = Date.now()
  const rotate = await runCommand(env, ['key', 'rotate', '--json'])
  const endedAt = Date.now()
  const [json, text] = await Promise.all([runCommand(env, ['key', 'list', '--json']), runCommand(env, ['key', 'list'])])
  await app.keyRing.maintain()

  t.same([rotate.code, rotate.stderr, json.code, json.stderr, text.code, text.stderr], [0, '', 0, '', 0, ''])
  const published = JSON.parse(rotate.stdout)
  t.same(Object.keys(published).sort(), ['activates_at', 'kid'])
  const keys: Array<Record<string, string>> = JSON.parse(json.stdout)
  for (const key of keys) t.same(Object.keys(key).sort(), KEY_KEYS)
  t.same(Object.fromEntries(keys.map(({ kid, state }) => [kid, state])), { [signs]: 'signs', [retired]: 'retired', [published.kid]: 'published' })
  const added = keys.find(({ kid }) => kid === published.kid)
  t.equal(added?.activates_at, published.activates_at)
  const rotatedAt = Date.parse(published.activates_at) - PUBLISH_AHEAD_MS
  t.ok(startedAt <= rotatedAt && rotatedAt <= endedAt)
  t.match(text.stdout, /^KID +ALG +STATE +CREATED_AT +ACTIVATES_AT\n(?:\S+ +ES256 +(?:signs|retired|published) +\S+ +\S+\n){3}$/)
  t.notMatch(json.stdout + text.stdout, /PRIVATE|"d"/)

  t.equal(decodeProtectedHeader((await logIn(app)).access_token).kid, signs)
  t.ok(app.keyRing.find(published.kid))
  t.match(readAudit(env).filter(({ actor_id: actor }) => actor === 'operator'),
    [{ type: 'signing_key_rotated', outcome: 'success', user_id: null, details: JSON.stringify({ kid: published.kid, alg: 'ES256' }) }])
})

t.test('latchkey key rotate --immediately makes a running server refuse what was signed before', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  const tokens = await logIn(app)
  const before = await readProfile(app, tokens.access_token)

  const { code, stdout, stderr } = await runCommand(env, ['key', 'rotate', '--immediately'])
  await app.keyRing.maintain()

  t.equal(before.statusCode, 200)
  t.same({ code, stderr }, { code: 0, stderr: '' })
  const kid = /^The key (\S+) signs from \d{4}-\S+Z\n$/.exec(stdout)?.[1]
  t.equal((await readProfile(app, tokens.access_token)).statusCode, 401)
  t.same((await app.inject('/.well-known/jwks.json')).json().keys.map((key: { kid: string }) => key.kid), [kid])
  const renewed = (await refresh(app, tokens.refresh_token)).json()
  t.equal(decodeProtectedHeader(renewed.access_token).kid, kid)
  t.equal((await readProfile(app, renewed.access_token)).statusCode, 200)
})

t.test('no command makes or replaces a key by the settings that it was given', async (t) => {
  const env = await emptyDatabase(t)
  const keys = (): unknown[] => readRows(databasePath(env), 'select alg from signing_keys')

  t.equal((await runCommand(env, ['user', 'list'])).code, 0)
  t.strictSame(keys(), [])
  await (await build(t, env)).close()
  t.equal((await runCommand({ ...env, SIGNING_ALG: 'EdDSA' }, ['key', 'list'])).code, 0)
  t.strictSame(keys(), [{ alg: 'ES256' }])
  t.equal((await runCommand({ ...env, SIGNING_ALG: 'EdDSA' }, ['key', 'rotate', '--immediately'])).code, 0)
  t.strictSame(keys(), [{ alg: 'ES256' }, { alg: 'ES256' }])
})
