import { inspect } from 'node:util'
import t from 'tap'
import { checkClaims, checkHeader, CLOCK_LEEWAY, isCurrent, MAX_ACCESS_TOKEN_TTL } from '../../lib/access-token.ts'

const NOW = 1_700_000_000
const EXPECTED = { issuer: 'https://id.example', audience: 'https://api.example' }

const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' }
const CLAIMS = {
  iss: EXPECTED.issuer,
  sub: '0190a8f0-0000-7000-8000-000000000001',
  aud: EXPECTED.audience,
  exp: NOW + 600,
  iat: NOW,
  jti: '0190a8f0-0000-7000-8000-000000000002',
  client_id: 'first-party',
  scope: 'profile account',
  sid: '0190a8f0-0000-7000-8000-000000000003',
  auth_time: NOW - 86_400
}

function without (object: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
}

t.test('checkHeader accepts', async (t) => {
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+jwt']) {
    t.test(`the type ${typ}`, async (t) => {
      t.strictSame(checkHeader({ ...HEADER, typ }), { kid: 'k1', alg: 'ES256' })
    })
  }

  t.test('a kid of 128 characters', async (t) => {
    t.equal(checkHeader({ ...HEADER, kid: 'k'.repeat(128) }).kid.length, 128)
  })

  t.test('members that nobody asked for', async (t) => {
    t.strictSame(checkHeader({ ...HEADER, cty: 'x' }), { kid: 'k1', alg: 'ES256' })
  })
})

t.test('checkHeader refuses', async (t) => {
  const refused = [
    ...['JWT', '', 'at+jwt ', ' at+jwt', 'at+jwt\n', 'xat+jwt', 'at+jwtx', 'at jwt', 'text/at+jwt', 'rt+jwt', null, 1, ['at+jwt']].map((typ) => ({ ...HEADER, typ })),
    ...[[], ['foo'], ['alg'], 'exp', null].map((crit) => ({ ...HEADER, crit })),
    ...[false, true, null].map((b64) => ({ ...HEADER, b64 })),
    ...['DEF', null].map((zip) => ({ ...HEADER, zip })),
    ...['', 'k'.repeat(129), 'k'.repeat(65_536), 1, null, ['k1'], {}].map((kid) => ({ ...HEADER, kid })),
    ...[1, null, ['ES256']].map((alg) => ({ ...HEADER, alg })),
    ...Object.keys(HEADER).map((name) => without(HEADER, name))
  ]
  for (const header of refused) {
    t.test(JSON.stringify(header).slice(0, 80), async (t) => {
      t.throws(() => checkHeader(header), { name: 'InvalidTokenError' })
    })
  }
})

t.test('checkClaims accepts', async (t) => {
  const accepted = [
    { name: 'every claim', payload: CLAIMS },
    { name: 'the audience alone in a list', payload: { ...CLAIMS, aud: [EXPECTED.audience] } },
    { name: 'the audience among others', payload: { ...CLAIMS, aud: ['https://other.example', EXPECTED.audience] } },
    { name: 'claims that nobody asked for', payload: { ...CLAIMS, name: 'x' } }
  ]
  for (const { name, payload } of accepted) {
    t.test(name, async (t) => {
      t.strictSame(checkClaims(payload, EXPECTED), CLAIMS)
    })
  }

  const variants = [
    { scope: '' },
    { sub: 'x' },
    { sub: 'x'.repeat(255) },
    { auth_time: 0 },
    { exp: NOW + 1 },
    { exp: NOW + MAX_ACCESS_TOKEN_TTL },
    { iat: 0, exp: 1 }
  ]
  for (const variant of variants) {
    t.test(JSON.stringify(variant).slice(0, 80), async (t) => {
      t.match(checkClaims({ ...CLAIMS, ...variant }, EXPECTED), variant)
    })
  }
})

t.test('checkClaims refuses', async (t) => {
  const identifiers = ['sub', 'jti', 'client_id', 'sid']
  const notIdentifiers = ['', 'x'.repeat(256), 'a\0b', 'a\n', 'é', '\ud800', 1, null, true, { $ne: 1 }, ['u1']]
  const times = ['exp', 'iat', 'auth_time']
  const notTimes = ['9999999999', null, -1, 1.5, Infinity, NaN, 2 ** 53, [NOW], true]

  const refused: Record<string, unknown>[] = [
    ...['https://evil.example', `${EXPECTED.issuer}/`, 'HTTPS://ID.EXAMPLE', '', null, [EXPECTED.issuer]].map((iss) => ({ iss })),
    ...['https://other.example', `${EXPECTED.audience}/`, '', null, {}, [], ['https://other.example'], [EXPECTED.audience, 1], [[EXPECTED.audience]]].map((aud) => ({ aud })),
    ...[null, 1, ['profile'], {}].map((scope) => ({ scope })),
    ...identifiers.flatMap((name) => notIdentifiers.map((value) => ({ [name]: value }))),
    ...times.flatMap((name) => notTimes.map((value) => ({ [name]: value }))),
    { exp: NOW },
    { exp: NOW - 1 },
    { exp: NOW + MAX_ACCESS_TOKEN_TTL + 1 },
    { exp: NOW + 315_360_000 },
    { iat: NOW - 315_360_000 },
    { nbf: NOW },
    { nbf: null }
  ]
  for (const change of refused) {
    t.test(inspect(change).slice(0, 80), async (t) => {
      t.throws(() => checkClaims({ ...CLAIMS, ...change }, EXPECTED), { name: 'InvalidTokenError' })
    })
  }

  for (const name of Object.keys(CLAIMS)) {
    t.test(`a claim set without ${name}`, async (t) => {
      t.throws(() => checkClaims(without(CLAIMS, name), EXPECTED), { name: 'InvalidTokenError' })
    })
  }
})

t.test('the limits are an hour and a minute', async (t) => {
  t.equal(MAX_ACCESS_TOKEN_TTL, 3600)
  t.equal(CLOCK_LEEWAY, 60)
})

t.test('isCurrent', async (t) => {
  const cases = [
    { name: 'the second before it expires', now: CLAIMS.exp - 1, current: true },
    { name: 'a moment before it expires', now: CLAIMS.exp - 0.001, current: true },
    { name: 'the second in which it expires', now: CLAIMS.exp, current: false },
    { name: 'the second after it expired', now: CLAIMS.exp + 1, current: false },
    { name: 'the second of its issue', now: CLAIMS.iat, current: true },
    { name: 'on a clock that is behind by the leeway', now: CLAIMS.iat - 60, current: true },
    { name: 'on a clock that is behind by more', now: CLAIMS.iat - 61, current: false }
  ]
  for (const { name, now, current } of cases) {
    t.test(`is ${current} ${name}`, async (t) => {
      t.equal(isCurrent(CLAIMS, now), current)
    })
  }
})
