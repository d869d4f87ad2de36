import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { PUBLISH_AHEAD_MS } from '../../lib/key-schedule.ts'
import { build, refresh, stopClock } from '../helper.ts'
import { isInvalidToken } from '../tokens.ts'
import { enterAs, enterWith } from './people.ts'
import { audited, isProblem, logInAgain } from './users-me/requests.ts'

const KEY_KEYS = ['kid', 'alg', 'state', 'created_at', 'activates_at']

t.test('POST /keys publishes the next key, and GET /keys tells the state of each', async (t) => {
  const app = await build(t)
  const clock = stopClock(app, Date.now())
  const admin = await enterAs(app, 'admin', 'admin')
  const { kid: first } = app.keyRing.current()

  const response = await admin.send('POST', '/keys', {})
  const { kid: second } = response.json()
  const published = await admin.send('GET', '/keys')
  clock.advance(PUBLISH_AHEAD_MS)
  const list = (await (await enterWith(app, 'reader', 'keys:read')).send('GET', '/keys'))

  t.equal(response.statusCode, 201)
  t.strictSame(response.json(), { kid: second, alg: 'ES256', state: 'published', created_at: new Date(app.clock.now() - PUBLISH_AHEAD_MS).toISOString(), activates_at: new Date(app.clock.now()).toISOString() })
  t.strictSame(published.json().items.map(({ kid, state }: Record<string, string>) => [kid, state]), [[first, 'signs'], [second, 'published']])
  t.strictSame(list.json().items.map(({ kid, state }: Record<string, string>) => [kid, state]), [[first, 'retired'], [second, 'signs']])
  for (const key of list.json().items) t.strictSame(Object.keys(key), KEY_KEYS)
  t.notMatch(list.body + response.body, /PRIVATE|"d"|sealed/)
  t.match((await audited(app, 'signing_key_rotated')).at(-1), { outcome: 'success', actorId: admin.id, clientId: 'first-party', details: { kid: second } })
})

t.test('a key that signs immediately ends every access token and no session', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')

  const response = await admin.send('POST', '/keys', { immediately: true })

  t.equal(response.statusCode, 201)
  t.match(response.json(), { state: 'signs' })
  isInvalidToken(t, await admin.send('GET', '/keys'))
  const tokens = (await refresh(app, admin.refresh_token)).json()
  t.equal(decodeProtectedHeader(tokens.access_token).kid, response.json().kid)
  t.strictSame((await app.inject('/.well-known/jwks.json')).json().keys.map(({ kid }: { kid: string }) => kid), [response.json().kid])
})

t.test('without a body, and with false, the key does not sign immediately', async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '3600' })
  const clock = stopClock(app)
  const { send } = await enterAs(app, 'admin', 'admin')

  for (const body of [undefined, {}, { immediately: false }]) {
    const response = await send('POST', '/keys', body)
    t.equal(response.statusCode, 201)
    t.equal(response.json().state, 'published')
    clock.advance(PUBLISH_AHEAD_MS)
  }
})

t.test('while a key waits to sign there is no other, but one that signs immediately', async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '3600' })
  const clock = stopClock(app)
  const { send } = await enterAs(app, 'admin', 'admin')
  t.equal((await send('POST', '/keys', {})).statusCode, 201)
  const before = app.keyRing.trusted()

  clock.advance(PUBLISH_AHEAD_MS - 1)
  isProblem(t, await send('POST', '/keys', {}), 409, 'rotation_pending')
  const [one, two] = await Promise.all([send('POST', '/keys', { immediately: false }), send('POST', '/keys')])

  t.strictSame([one.statusCode, two.statusCode], [409, 409])
  t.strictSame(app.keyRing.trusted(), before)
  t.equal((await audited(app, 'signing_key_rotated')).length, 2)
  t.equal((await send('POST', '/keys', { immediately: true })).statusCode, 201)
})

t.test('of parallel requests for the next key one makes it', async (t) => {
  const app = await build(t)
  const { send } = await enterAs(app, 'admin', 'admin')

  const responses = await Promise.all(Array.from({ length: 5 }, async () => await send('POST', '/keys', {})))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [201, 409, 409, 409, 409])
  t.equal(app.keyRing.trusted().length, 2)
})

t.test('what is no order for a key is refused, and there is no new key', async (t) => {
  const app = await build(t)
  const { send } = await enterAs(app, 'admin', 'admin')

  for (const body of [{ immediately: 'true' }, { immediately: 1 }, { immediately: null }, { kid: 'x' }, { private_key: 'x' }, { alg: 'none' }, [], 'null']) {
    isProblem(t, await send('POST', '/keys', body), 400, 'validation_failed')
  }

  t.equal(app.keyRing.trusted().length, 1)
})

t.test('keys are read and made by those who may only', async (t) => {
  const app = await build(t)
  const reader = await enterWith(app, 'reader', 'keys:read')
  const writer = await enterWith(app, 'writer', 'keys:write')

  isProblem(t, await reader.send('POST', '/keys', {}), 403, 'insufficient_scope')
  isProblem(t, await writer.send('GET', '/keys'), 403, 'insufficient_scope')
  t.equal((await writer.send('POST', '/keys', {})).statusCode, 201)
  t.equal(typeof (await logInAgain(app, 'reader')).access_token, 'string')
})
