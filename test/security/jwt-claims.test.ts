import t from 'tap'
import { CLOCK_LEEWAY, MAX_ACCESS_TOKEN_TTL } from '../../lib/access-token.ts'
import { build, createUser, PUBLIC_URL, readProfile, stopClock } from '../helper.ts'
import { createForge, isInvalidToken, isRefused, type Claims } from '../tokens.ts'

const NOW = 1_800_000_000

const app = await build(t)
stopClock(app, NOW * 1000)
const forge = await createForge(app)
const { header, claims } = forge

t.test('claims as the service writes them, signed with its key, are accepted', async (t) => {
  const response = await readProfile(app, forge.withClaims({}))

  t.equal(response.statusCode, 200)
  t.match(claims, { iat: NOW, exp: NOW + 600 })
})

t.test('claims are accepted', async (t) => {
  const accepted: Claims[] = [
    { aud: [PUBLIC_URL] },
    { aud: ['https://other.example', PUBLIC_URL] },
    { exp: NOW + 1 },
    { exp: NOW + MAX_ACCESS_TOKEN_TTL },
    { iat: NOW + CLOCK_LEEWAY },
    { auth_time: 0 },
    { name: 'nobody asked' }
  ]
  for (const change of accepted) {
    t.test(JSON.stringify(change), async (t) => {
      const response = await readProfile(app, forge.withClaims(change))

      t.equal(response.statusCode, 200)
    })
  }
})

t.test('claims are refused', async (t) => {
  const notIdentifiers = [undefined, null, '', 7, true, { $ne: 1 }, ['u1'], 'a\0b', 'x'.repeat(256), 'ä', '\ud800']
  const notTimes = [undefined, null, '9999999999', -1, 1.5, 2 ** 60, [NOW], true]
  const refused: Claims[] = [
    ...[undefined, null, '', 'https://evil.example', `${PUBLIC_URL}/`, PUBLIC_URL.toUpperCase(), PUBLIC_URL.replace('http', 'https'), `${PUBLIC_URL}.evil.example`, [PUBLIC_URL]].map((iss) => ({ iss })),
    ...[undefined, null, '', 'https://evil.example', `${PUBLIC_URL}/`, PUBLIC_URL.toUpperCase(), [], {}, ['https://evil.example'], [PUBLIC_URL, 1]].map((aud) => ({ aud })),
    ...['sub', 'jti', 'client_id', 'sid'].flatMap((name) => notIdentifiers.map((value) => ({ [name]: value }))),
    ...['exp', 'iat', 'auth_time'].flatMap((name) => notTimes.map((value) => ({ [name]: value }))),
    ...[undefined, null, 7, ['profile']].map((scope) => ({ scope })),
    { exp: NOW },
    { exp: NOW - 1 },
    { exp: NOW + MAX_ACCESS_TOKEN_TTL + 1 },
    { exp: NOW + 315_360_000 },
    { iat: NOW - 315_360_000 },
    { iat: NOW + CLOCK_LEEWAY + 1 },
    { iat: NOW + 315_360_000, exp: NOW + 315_360_600 },
    { nbf: NOW },
    { nbf: NOW + 3600 },
    { nbf: 'soon' }
  ]
  for (const change of refused) {
    t.test(`${Object.keys(change).join()}: ${JSON.stringify(Object.values(change)).slice(0, 80)}`, async (t) => {
      await isRefused(t, app, forge.withClaims(change))
    })
  }
})

t.test('claims are refused for how they are written', async (t) => {
  const text = JSON.stringify(claims)
  const refused: Array<{ name: string, payload: string | Buffer }> = [
    { name: 'an expiry beyond all numbers', payload: text.replace(/"exp":\d+/, '"exp":1e400') },
    { name: 'an expiry as an exponent', payload: text.replace(/"exp":\d+/, `"exp":${NOW / 1e5 + 0.001}e5`) },
    { name: 'a subject that stands twice', payload: text.replace('"sub":', '"sub":"root","sub":') },
    { name: 'a subject that stands twice, the second time escaped', payload: text.replace('"sub":', '"sub":"root","\\u0073ub":') },
    { name: 'an expiry that stands twice', payload: text.replace('"exp":', '"exp":1,"exp":') },
    { name: 'a list', payload: '[1,2]' },
    { name: 'a list of the claims', payload: `[${text}]` },
    { name: 'a string', payload: '"claims"' },
    { name: 'a number', payload: '7' },
    { name: 'null', payload: 'null' },
    { name: 'an empty object', payload: '{}' },
    { name: 'no JSON', payload: 'claims' },
    { name: 'bytes that are not UTF-8', payload: Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]) },
    { name: 'a byte order mark', payload: `\ufeff${text}` },
    { name: 'a NUL at the end', payload: `${text}\0` },
    { name: 'a NUL inside', payload: text.replace('"iss":"', '"iss":"\0') },
    { name: 'white space', payload: text.replace(':', ': ') },
    { name: 'lists nested 3,000 deep', payload: text.replace('{', `{"x":${'['.repeat(2500)}${']'.repeat(2500)},`) },
    { name: 'objects nested deep', payload: text.replace('{', `{"x":${'{"a":'.repeat(900)}1${'}'.repeat(900)},`) },
    { name: 'a prototype', payload: text.replace('{', '{"__proto__":{"sub":"root"},') },
    ...['iss', 'aud', 'sub'].map((name) => ({ name: `an ${name} of 5 kB built to make an expression backtrack`, payload: JSON.stringify({ ...claims, [name]: `${'a/'.repeat(2500)}!` }) }))
  ]
  for (const { name, payload } of refused) {
    t.test(name, async (t) => {
      await isRefused(t, app, forge.sign(header, payload))
    })
  }
  t.equal(({} as { sub?: string }).sub, undefined)
})

t.test('the token must name the user and the client of its session', async (t) => {
  const other = await createUser(app, { username: 'ada' })
  const others = await createForge(app, { grant_type: 'password', username: 'ada', password: 'correct horse battery' })
  const wrong: Claims[] = [
    { sub: other.id },
    { sub: '019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b' },
    { sub: 'johndoe' },
    { sub: 'me' },
    { sub: String(claims.sub).toUpperCase() },
    { sid: others.claims.sid },
    { sid: '019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b' },
    { sid: claims.sub },
    { sid: String(claims.sid).toUpperCase() },
    { sid: '%' },
    { sid: "' OR 1=1--" },
    { client_id: 'other' },
    { client_id: 'First-Party' },
    { sub: claims.client_id }
  ]
  for (const change of wrong) {
    t.test(JSON.stringify(change), async (t) => {
      isInvalidToken(t, await readProfile(app, forge.withClaims(change)))
    })
  }
})

t.test('the token of a user who is no more is refused', async (t) => {
  const gone = await createUser(app, { username: 'gone' })
  const { token } = await createForge(app, { grant_type: 'password', username: 'gone', password: 'correct horse battery' })
  t.equal((await readProfile(app, token)).statusCode, 200)

  await app.db.deleteFrom('sessions').where('user_id', '=', gone.id).execute()
  await app.db.deleteFrom('users').where('id', '=', gone.id).execute()

  isInvalidToken(t, await readProfile(app, token))
})

t.test('the token of another installation with the same key is refused', async (t) => {
  for (const iss of ['http://localhost:8001', 'http://localhost:8000/tenant', 'http://127.0.0.1:8000']) {
    await isRefused(t, app, forge.withClaims({ iss, aud: iss }))
    await isRefused(t, app, forge.withClaims({ iss }))
  }
})

t.test('a token is good until the millisecond in which it expires, also when it was seen before', async (t) => {
  const app = await build(t)
  const clock = stopClock(app, NOW * 1000)
  const { token } = await createForge(app)
  clock.advance(599_999)
  t.equal((await readProfile(app, token)).statusCode, 200)

  clock.advance(1)

  await isRefused(t, app, token)
})
