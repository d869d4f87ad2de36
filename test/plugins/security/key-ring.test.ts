import t from 'tap'
import { PUBLISH_AHEAD_MS, RETIRE_AFTER_MS } from '../../../lib/key-schedule.ts'
import { build, logIn, readProfile, stopClock, testEnv } from '../../helper.ts'
import { compact, createForge, isRefused, signers } from '../../tokens.ts'
import type { FastifyInstance } from 'fastify'

const DAY = 24 * 60 * 60 * 1000

async function published (app: FastifyInstance): Promise<string[]> {
  const response = await app.inject({ url: '/.well-known/jwks.json' })
  return response.json().keys.map(({ kid }: { kid: string }) => kid)
}

t.test('the first key signs at once', async (t) => {
  const app = await build(t)

  const { header } = await createForge(app)

  t.strictSame(await published(app), [header.kid])
})

t.test('a new key is published ten minutes before it signs', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const old = app.keyRing.current()

  const next = await app.keyRing.rotate({ immediately: false }, {})

  t.equal(PUBLISH_AHEAD_MS, 600_000)
  t.strictSame((await published(app)).toSorted(), [old.kid, next.kid].toSorted())
  clock.advance(PUBLISH_AHEAD_MS - 1)
  t.equal((await createForge(app)).header.kid, old.kid)
  clock.advance(1)
  t.equal((await createForge(app)).header.kid, next.kid)
})

t.test('a key that only is published yet may be used by another process already', async (t) => {
  const app = await build(t)
  const { header, claims } = await createForge(app)
  const next = await app.keyRing.rotate({ immediately: false }, {})

  const response = await readProfile(app, compact({ ...header, kid: next.kid }, claims, signers.ES256(next.privatePem)))

  t.equal(response.statusCode, 200)
})

t.test('the old key is believed until its last token has expired, to the millisecond', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const { header, claims } = await createForge(app)
  const { kid, privatePem } = app.keyRing.current()
  await app.keyRing.rotate({ immediately: false }, {})
  // Such a token only exists if another process still signs with the old key.
  const issueLate = (): string => {
    const iat = Math.floor(app.clock.now() / 1000)
    return compact(header, { ...claims, iat, exp: iat + 600 }, signers.ES256(privatePem))
  }

  clock.advance(PUBLISH_AHEAD_MS + RETIRE_AFTER_MS - 1)
  const last = issueLate()
  t.equal(RETIRE_AFTER_MS, 3_660_000)
  t.equal((await readProfile(app, last)).statusCode, 200)
  t.ok((await published(app)).includes(kid))

  clock.advance(1)
  await isRefused(t, app, last)
  await isRefused(t, app, issueLate())
  t.notOk((await published(app)).includes(kid))
})

t.test('a token that the old key signed with its last breath is good for all its life', async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '3600' })
  const clock = stopClock(app)
  const old = app.keyRing.current().kid
  await app.keyRing.rotate({ immediately: false }, {})
  clock.advance(PUBLISH_AHEAD_MS - 1)
  const { token, header } = await createForge(app)
  t.equal(header.kid, old)

  clock.advance(3_598_999)

  t.equal((await readProfile(app, token)).statusCode, 200)
})

t.test('a leaked key is gone at once, and all its tokens with it', async (t) => {
  const app = await build(t)
  const { token, header, claims } = await createForge(app)
  const leaked = app.keyRing.current()
  t.equal((await readProfile(app, token)).statusCode, 200)
  await app.keyRing.rotate({ immediately: false }, {})

  const next = await app.keyRing.rotate({ immediately: true }, {})

  await isRefused(t, app, token)
  await isRefused(t, app, compact({ ...header, typ: 'AT+JWT' }, claims, signers.ES256(leaked.privatePem)))
  t.strictSame(await published(app), [next.kid])
  t.equal(app.keyRing.find(leaked.kid), undefined)
  const { header: fresh, token: good } = await createForge(app)
  t.equal(fresh.kid, next.kid)
  t.equal((await readProfile(app, good)).statusCode, 200)
})

t.test('while keys rotate, no request with a valid token is refused', async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '3600' })
  const clock = stopClock(app)
  const { access_token: old } = await logIn(app)
  const tokens = [old]
  const readAll = async (): Promise<number[]> => await Promise.all(Array.from({ length: 200 }, async (_, index) => {
    const response = await readProfile(app, tokens[index % tokens.length] as string)
    return response.statusCode
  }))

  const answers: number[] = []
  for (let round = 0; round < 4; round++) {
    const [statuses] = await Promise.all([readAll(), app.keyRing.rotate({ immediately: false }, {}), app.keyRing.maintain()])
    clock.advance(PUBLISH_AHEAD_MS)
    tokens.push((await logIn(app)).access_token)
    answers.push(...statuses, ...await readAll())
  }

  t.strictSame(new Set(answers), new Set([200]))
  t.equal(new Set(tokens.map((token) => token.split('.')[0])).size, 5, 'each was signed by another key')
})

t.test('a key is replaced when it is as old as the setting says', async (t) => {
  const app = await build(t, { KEY_ROTATION_DAYS: '7' })
  const first = app.keyRing.current()
  const clock = stopClock(app, first.activatesAt)

  clock.advance(7 * DAY - PUBLISH_AHEAD_MS - 1)
  await app.keyRing.maintain()
  t.strictSame(await published(app), [first.kid])

  clock.advance(1)
  await app.keyRing.maintain()
  await app.keyRing.maintain()
  t.equal((await published(app)).length, 2)
  t.equal(app.keyRing.current().kid, first.kid)

  clock.advance(PUBLISH_AHEAD_MS)
  t.not(app.keyRing.current().kid, first.kid)
  t.equal(app.keyRing.current().activatesAt, first.activatesAt + 7 * DAY)
})

t.test('another SIGNING_ALG takes over like every new key', async (t) => {
  const env = testEnv(t)
  const before = await build(t, env)
  const { access_token: token } = await logIn(before)
  const es256 = before.keyRing.current().kid
  await before.close()

  const app = await build(t, { ...env, SIGNING_ALG: 'EdDSA' })
  const clock = stopClock(app)

  t.same((await app.inject({ url: '/.well-known/jwks.json' })).json().keys.map(({ alg }: { alg: string }) => alg).toSorted(), ['ES256', 'EdDSA'])
  t.equal(app.keyRing.current().kid, es256)
  t.equal((await readProfile(app, token)).statusCode, 200)
  t.equal((await createForge(app)).header.alg, 'ES256')

  clock.advance(PUBLISH_AHEAD_MS)
  const { access_token: later } = await logIn(app)
  t.equal(app.keyRing.current().alg, 'EdDSA')
  t.equal((await readProfile(app, later)).statusCode, 200)
  t.equal((await readProfile(app, later)).json().username, 'johndoe')
})

t.test('a rotation is written down with who asked for it', async (t) => {
  const app = await build(t)

  const { kid } = await app.keyRing.rotate({ immediately: true }, { ip: '192.0.2.1' })

  const events = await app.db.selectFrom('audit_events').selectAll().where('type', '=', 'signing_key_rotated').execute()
  t.match(events.find(({ details }) => details?.includes(kid)), { outcome: 'success', ip: '192.0.2.1', details: JSON.stringify({ kid, alg: 'ES256', revoked: 1 }) })
})
