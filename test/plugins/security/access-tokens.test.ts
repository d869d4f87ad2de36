import type { FastifyInstance } from 'fastify'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import t from 'tap'
import { build, createUser, logIn, PUBLIC_URL, readProfile, stopClock } from '../../helper.ts'
import { compact, createForge, isInvalidToken, isRefused } from '../../tokens.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  t.test(`with SIGNING_ALG=${alg} others verify what a log-in gives`, async (t) => {
    const app = await build(t, { SIGNING_ALG: alg, TOKEN_AUDIENCE: 'https://api.example' })
    const jwks = await app.inject({ url: '/.well-known/jwks.json' })

    const { access_token: token } = await logIn(app)

    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks.json<JSONWebKeySet>()), {
      issuer: PUBLIC_URL, audience: 'https://api.example', typ: 'at+jwt', algorithms: [alg]
    })
    const profile = await readProfile(app, token)
    t.equal(profile.statusCode, 200)
    t.strictSame(protectedHeader, { alg, typ: 'at+jwt', kid: app.keyRing.current().kid })
    t.equal(payload.sub, profile.json().id)
    t.strictSame(jwks.json().keys.map((key: { alg: string }) => key.alg), [alg])
  })
}

t.test('a token says what RFC 9068 asks for and no more', async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '120', TOKEN_AUDIENCE: 'https://api.example' })
  const clock = stopClock(app, 1_800_000_000_999)
  const { claims, refreshToken } = await createForge(app)
  const { sub, sid, jti, ...rest } = claims
  const user = await app.users.find('johndoe')

  t.strictSame(rest, {
    iss: PUBLIC_URL,
    aud: 'https://api.example',
    exp: 1_800_000_120,
    iat: 1_800_000_000,
    client_id: 'first-party',
    scope: 'profile account',
    auth_time: 1_800_000_000
  })
  t.equal(sub, user?.id)
  t.match(sid, UUID)
  t.match(jti, UUID)

  t.test('and the next token of the session tells when that began', async (t) => {
    clock.advance(5000)

    const next = await logIn(app, { grant_type: 'refresh_token', refresh_token: refreshToken })

    const later = app.accessTokens.verify(next.access_token)
    t.match(later, { sub, sid, auth_time: 1_800_000_000, iat: 1_800_000_005, exp: 1_800_000_125 })
    t.not(later.jti, jti)
  })
})

t.test('no two tokens have one id', async (t) => {
  const app = await build(t)
  const subject = { userId: 'u', sessionId: 's', clientId: 'c', scope: 'profile', authenticatedAt: Date.now() }

  const ids = Array.from({ length: 100 }, () => app.accessTokens.verify(app.accessTokens.issue(subject)).jti)

  t.equal(new Set(ids).size, 100)
})

t.test('a signature is verified once and everything else each time', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)
  const verifications = t.capture(app.jwt, 'verify', app.jwt.verify)
  const looks = t.capture(app.sessions, 'findLive', app.sessions.findLive)

  for (let round = 0; round < 100; round++) {
    const response = await readProfile(app, token)
    if (response.statusCode !== 200) t.fail(`round ${round}`)
  }

  t.equal(verifications().length, 1)
  t.equal(looks().length, 100)
})

t.test('what was refused is verified again', async (t) => {
  const app = await build(t)
  const { token } = await createForge(app)
  const bad = `${token.slice(0, -90)}AAAA${token.slice(-86)}`
  const worse = `${token.slice(0, -86)}${'A'.repeat(86)}`
  const verifications = t.capture(app.jwt, 'verify', app.jwt.verify)

  for (const text of [bad, worse, worse]) t.throws(() => app.accessTokens.verify(text), { name: 'InvalidTokenError' })

  t.equal(verifications().length, 2, 'the first has no claims to verify')
})

t.test('the JWT library only sees tokens of the algorithm of their key, and is told that one', async (t) => {
  const app = await build(t)
  const { token, withHeader } = await createForge(app)
  const calls = t.capture(app.jwt, 'verify', app.jwt.verify)

  for (const alg of ['HS256', 'RS256', 'none']) t.throws(() => app.accessTokens.verify(withHeader({ alg })), { name: 'InvalidTokenError' })
  app.accessTokens.verify(token)

  t.strictSame(calls().map(({ args: [, options] }) => options), [
    { key: app.keyRing.current().publicPem, algorithms: ['ES256'], ignoreExpiration: true }
  ])
})

t.test('a remembered signature speaks for its own token only', async (t) => {
  const app = await build(t)
  const { token } = await createForge(app)
  app.accessTokens.verify(token)
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url')

  t.throws(() => app.accessTokens.verify(`${header}.${changed}.${signature}`), { name: 'InvalidTokenError', message: 'the signature is wrong' })
  t.throws(() => app.accessTokens.verify(`.${signature}`), { name: 'InvalidTokenError' })
})

t.test('only so many tokens are remembered', async (t) => {
  const app = await build(t)
  const { header, claims } = await createForge(app)
  let verifications = 0
  // Ten thousand real signatures would show nothing more.
  t.intercept(app.jwt, 'verify', { value: () => { verifications++ } })
  const signature = (number: number): Buffer => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32BE(number)
    return bytes
  }
  const issue = (number: number): string => compact(header, { ...claims, jti: String(number) }, () => signature(number))
  const first = issue(0)
  app.accessTokens.verify(first)
  for (let number = 1; number < 10_000; number++) app.accessTokens.verify(issue(number))
  app.accessTokens.verify(first)
  t.equal(verifications, 10_000)

  app.accessTokens.verify(issue(10_000))
  app.accessTokens.verify(first)

  t.equal(verifications, 10_002)
})

t.test('a remembered token is refused', async (t) => {
  const cases: Record<string, (app: FastifyInstance) => Promise<unknown>> = {
    'when it has expired': async (app) => { stopClock(app).advance(600_000) },
    'when its key was revoked': async (app) => await app.keyRing.rotate({ immediately: true }, {}),
    'when the clock went back to before it': async (app) => { stopClock(app).advance(-62_000) }
  }
  for (const [name, change] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const app = await build(t)
      const { access_token: token } = await logIn(app)
      t.equal((await readProfile(app, token)).statusCode, 200)

      await change(app)

      await isRefused(t, app, token)
    })
  }

  t.test('when its session was revoked', async (t) => {
    const app = await build(t)
    const { access_token: token } = await logIn(app)
    const { sid } = app.accessTokens.verify(token)
    t.equal((await readProfile(app, token)).statusCode, 200)

    await app.sessions.revoke(sid, 'logout', {})

    isInvalidToken(t, await readProfile(app, token))
  })

  t.test('when its user was disabled', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'ada', password: 'correct horse battery' })
    t.equal((await readProfile(app, token)).statusCode, 200)

    await app.db.updateTable('users').set({ disabled_at: Date.now() }).where('id', '=', id).execute()

    isInvalidToken(t, await readProfile(app, token))
  })
})

t.test('the JWT library by itself neither verifies nor signs', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  t.throws(() => app.jwt.verify(token))
  t.throws(() => app.jwt.sign({ sub: 'root' }))
})
