import t from 'tap'
import { CLOCK_LEEWAY, MAX_ACCESS_TOKEN_TTL } from '../../lib/access-token.ts'
import { believedUntil, isRotationDue, isRotationPending, JWKS_MAX_AGE, PUBLISH_AHEAD_MS, RETIRE_AFTER_MS, signingKey, type ScheduledKey } from '../../lib/key-schedule.ts'

const T0 = Date.UTC(2030, 0, 1)
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const MONTH = 30 * DAY

interface NamedKey extends ScheduledKey { name: string }

function key (name: string, activatesAt: number, { alg = 'ES256', revokedAt = null }: { alg?: string, revokedAt?: number | null } = {}): NamedKey {
  return { name, alg, activatesAt, revokedAt }
}

const A = key('A', T0)
const B = key('B', T0 + MONTH)
const C = key('C', T0 + 2 * MONTH)
const revoked = (each: NamedKey, revokedAt = T0): NamedKey => ({ ...each, revokedAt })

t.test('a key is published for two cache ages before it signs, and until its last token has expired', async (t) => {
  t.equal(JWKS_MAX_AGE, 300)
  t.equal(PUBLISH_AHEAD_MS, 10 * MINUTE)
  t.equal(PUBLISH_AHEAD_MS, 2 * JWKS_MAX_AGE * 1000)
  t.equal(RETIRE_AFTER_MS, (MAX_ACCESS_TOKEN_TTL + CLOCK_LEEWAY) * 1000)
})

t.test('the signing key is', async (t) => {
  const cases = [
    { name: 'none without keys', keys: [], now: T0, signs: undefined },
    { name: 'the only one from the instant it was made', keys: [A], now: T0, signs: 'A' },
    { name: 'the only one years later', keys: [A], now: T0 + 100 * MONTH, signs: 'A' },
    { name: 'the old one until the instant of the takeover', keys: [A, B], now: T0 + MONTH - 1, signs: 'A' },
    { name: 'the new one from that instant on', keys: [A, B], now: T0 + MONTH, signs: 'B' },
    { name: 'the youngest of those that have begun', keys: [A, B, C], now: T0 + 2 * MONTH - 1, signs: 'B' },
    { name: 'the youngest of all', keys: [A, B, C], now: T0 + 2 * MONTH, signs: 'C' },
    { name: 'the same in whatever order they were stored', keys: [C, A, B], now: T0 + MONTH, signs: 'B' },
    { name: 'the oldest if the clock was set back before all', keys: [B, C, A], now: T0 - DAY, signs: 'A' },
    { name: 'the only one if the clock was set back before it', keys: [B], now: T0, signs: 'B' },
    { name: 'the one before a revoked one', keys: [A, revoked(B)], now: T0 + MONTH, signs: 'A' },
    { name: 'the new one at once when the old one is revoked', keys: [revoked(A), B], now: T0, signs: 'B' },
    { name: 'none when all are revoked', keys: [revoked(A), revoked(B)], now: T0 + MONTH, signs: undefined },
    { name: 'not one that will be revoked later by a clock ahead', keys: [A, revoked(B, T0 + 9 * MONTH)], now: T0 + MONTH, signs: 'A' },
    { name: 'not one that was revoked in 1970', keys: [revoked(A, 0)], now: T0, signs: undefined }
  ]
  for (const { name, keys, now, signs } of cases) {
    t.test(name, async (t) => {
      t.equal(signingKey(keys, now)?.name, signs)
    })
  }
})

t.test('tokens are believed', async (t) => {
  const cases = [
    { name: 'of no key without keys', keys: [], until: {} },
    { name: 'of the youngest key without end', keys: [A], until: { A: Infinity } },
    { name: 'of a key until those that it signed last before the takeover have expired', keys: [A, B], until: { A: T0 + MONTH + RETIRE_AFTER_MS, B: Infinity } },
    { name: 'of each key as long as its own successor says', keys: [C, A, B], until: { A: T0 + MONTH + RETIRE_AFTER_MS, B: T0 + 2 * MONTH + RETIRE_AFTER_MS, C: Infinity } },
    { name: 'of no revoked key', keys: [revoked(A), B], until: { B: Infinity } },
    { name: 'of the key before a revoked one without end', keys: [A, revoked(B)], until: { A: Infinity } },
    { name: 'of a key until the next that is not revoked takes over', keys: [A, revoked(B), C], until: { A: T0 + 2 * MONTH + RETIRE_AFTER_MS, C: Infinity } },
    { name: 'of no key when all are revoked', keys: [revoked(A), revoked(B)], until: {} }
  ]
  for (const { name, keys, until } of cases) {
    t.test(name, async (t) => {
      const found = [...believedUntil(keys)].map(([{ name }, at]) => [name, at])

      t.strictSame(Object.fromEntries(found), until)
    })
  }

  t.test('of whichever key signs, at every instant and for the whole life of the token', async (t) => {
    const keys = [A, B, C]
    const until = believedUntil(keys)

    for (let now = T0 - DAY; now < T0 + 3 * MONTH; now += 7 * MINUTE) {
      const signer = signingKey(keys, now) as NamedKey
      if ((until.get(signer) ?? 0) <= now + MAX_ACCESS_TOKEN_TTL * 1000) t.fail(`a token of ${signer.name} made at ${now} would die early`)
    }
    t.equal(until.size, 3)
  })
})

t.test('the next key is due', async (t) => {
  const monthly = { rotationMs: MONTH, alg: 'ES256' }
  const due = T0 + MONTH - PUBLISH_AHEAD_MS
  const cases = [
    { name: 'if there is none', keys: [], now: T0, is: true },
    { name: 'not while the only one is young', keys: [A], now: T0, is: false },
    { name: 'not a millisecond early', keys: [A], now: due - 1, is: false },
    { name: 'so that it signs when the last one is as old as the rotation', keys: [A], now: due, is: true },
    { name: 'at any later time, as after a long stop', keys: [A], now: T0 + 12 * MONTH, is: true },
    { name: 'not while one is published that does not sign yet', keys: [A, B], now: due, is: false },
    { name: 'a month after that one has begun', keys: [B, A], now: due + MONTH, is: true },
    { name: 'not a millisecond before', keys: [B, A], now: due + MONTH - 1, is: false },
    { name: 'not if the clock was set back before all keys', keys: [A, B], now: T0 - 12 * MONTH, is: false },
    { name: 'if all are revoked', keys: [revoked(A), revoked(B)], now: T0, is: true },
    { name: 'if the youngest is revoked and the one before is old', keys: [A, revoked(B)], now: due, is: true },
    { name: 'if another algorithm was set', keys: [key('R', T0, { alg: 'RS256' })], now: T0, is: true },
    { name: 'only once for another algorithm', keys: [key('R', T0, { alg: 'RS256' }), key('E', T0 + 10 * MINUTE)], now: T0, is: false },
    { name: 'if only an older key is of the algorithm that was set', keys: [A, key('R', T0 + DAY, { alg: 'RS256' })], now: T0 + DAY, is: true },
    { name: 'not for another algorithm if none was given', keys: [key('R', T0, { alg: 'RS256' })], now: due - 1, is: false, rotation: { rotationMs: MONTH } },
    { name: 'for its age if no algorithm was given', keys: [key('R', T0, { alg: 'RS256' })], now: due, is: true, rotation: { rotationMs: MONTH } },
    { name: 'not for the algorithm of a revoked key', keys: [A, key('R', T0 + DAY, { alg: 'RS256', revokedAt: T0 })], now: T0 + DAY, is: false }
  ]
  for (const { name, keys, now, is, rotation = monthly } of cases) {
    t.test(name, async (t) => {
      t.equal(isRotationDue(keys, now, rotation), is)
    })
  }

  t.test('a first time, a month later, and so on', async (t) => {
    const keys: NamedKey[] = []

    for (let now = T0; now < T0 + 100 * DAY; now += MINUTE) {
      if (isRotationDue(keys, now, monthly)) keys.push(key('K', keys.length === 0 ? now : now + PUBLISH_AHEAD_MS))
    }

    t.strictSame(keys.map(({ activatesAt }) => activatesAt), [0, 1, 2, 3].map((month) => T0 + month * MONTH))
  })
})

t.test('isRotationPending tells whether a key waits that is not revoked', async (t) => {
  const young = key('Y', T0 + DAY)

  t.equal(isRotationPending([], T0), false)
  t.equal(isRotationPending([young, A], T0 + DAY - 1), true)
  t.equal(isRotationPending([young, A], T0 + DAY), false)
  t.equal(isRotationPending([key('R', T0 + DAY, { revokedAt: T0 }), A], T0 + DAY - 1), false)
})

t.test('keys are neither changed nor put in another order', async (t) => {
  const keys = Object.freeze([C, A, B].map((each) => Object.freeze({ ...each })))

  signingKey(keys, T0)
  believedUntil(keys)
  isRotationDue(keys, T0, { rotationMs: MONTH, alg: 'ES256' })

  t.strictSame(keys.map(({ name }) => name), ['C', 'A', 'B'])
})
