import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { build, createUser, logIn, readProfile } from '../helper.ts'
import { createForge, isInvalidToken } from '../tokens.ts'

const app = await build(t)
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as AddressInfo

interface RawResponse { status: number, challenge: string | undefined }

/** Sends header lines as they are: no HTTP client would send some of them. */
async function readRaw (...lines: string[]): Promise<RawResponse> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(['GET /users/me HTTP/1.1', 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'))
  const answer = await text(socket)
  return {
    status: Number(answer.split(' ')[1]),
    challenge: /^www-authenticate: (.*)$/im.exec(answer)?.[1]?.trim()
  }
}

const NO_TOKEN = 'Bearer realm="latchkey"'
const INVALID_TOKEN = 'Bearer realm="latchkey", error="invalid_token"'

function isNoToken (t: Test, { statusCode, headers, ...response }: LightMyRequestResponse): void {
  t.equal(statusCode, 401)
  t.equal(headers['www-authenticate'], NO_TOKEN)
  t.equal(headers['cache-control'], 'no-store')
  t.strictSame(response.json(), { statusCode: 401, code: 'unauthorized', error: 'Unauthorized', message: 'An access token is required' })
}

t.test('who sends no bearer token is told to, without an error code', async (t) => {
  const { access_token: token } = await logIn(app)
  const requests: Record<string, { headers?: Record<string, string>, url?: string }> = {
    'no Authorization header': {},
    'an empty one': { headers: { authorization: '' } },
    'Basic credentials': { headers: { authorization: `Basic ${Buffer.from('johndoe:secret').toString('base64')}` } },
    'another scheme': { headers: { authorization: `DPoP ${token}` } },
    'a scheme that begins like ours': { headers: { authorization: `BearerToken ${token}` } },
    'no scheme': { headers: { authorization: token } },
    'the token in a cookie': { headers: { cookie: `access_token=${token}; authorization=Bearer ${token}` } },
    'the token in the query': { url: `/users/me?access_token=${token}` },
    'the token in another header': { headers: { 'x-authorization': `Bearer ${token}`, 'proxy-authorization': `Bearer ${token}` } }
  }
  for (const [name, request] of Object.entries(requests)) {
    t.test(name, async (t) => {
      isNoToken(t, await app.inject({ url: '/users/me', ...request }))
    })
  }
})

t.test('a broken token is an invalid one', async (t) => {
  const { access_token: token } = await logIn(app)
  for (const authorization of ['Bearer x', 'Bearer', 'Bearer ', 'bearer', 'Bearer\t', `Bearer\t${token}`, `Bearer \t${token}`, `Bearer ${token} x`, `Bearer ${token},x`, `Bearer "${token}"`, `Bearer Bearer ${token}`, `Bearer ${'x'.repeat(9000)}`]) {
    t.test(JSON.stringify(authorization.replace(token, 'token').slice(0, 40)), async (t) => {
      isInvalidToken(t, await app.inject({ url: '/users/me', headers: { authorization } }))
    })
  }
})

t.test('the scheme is known in any case and before any number of spaces', async (t) => {
  const { access_token: token } = await logIn(app)
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'bEaReR ', 'Bearer  ', 'Bearer     ']) {
    const response = await app.inject({ url: '/users/me', headers: { authorization: scheme + token } })

    t.equal(response.statusCode, 200, scheme)
  }
})

t.test('over a real connection', async (t) => {
  const { access_token: token } = await logIn(app)
  const good = `Authorization: Bearer ${token}`
  const cases: Array<{ name: string, lines: string[], status: number, challenge?: string }> = [
    { name: 'a good token is accepted', lines: [good], status: 200 },
    { name: 'white space around the value is not part of it', lines: [`Authorization: \t Bearer ${token} \t`], status: 200 },
    { name: 'a good and a bad token are refused', lines: [good, 'Authorization: Bearer x'], status: 401, challenge: INVALID_TOKEN },
    { name: 'a bad and a good token are refused', lines: ['Authorization: Bearer x', good], status: 401, challenge: INVALID_TOKEN },
    { name: 'the same token twice is refused', lines: [good, good], status: 401, challenge: INVALID_TOKEN },
    { name: 'two names in different case are one header twice', lines: [good, good.replace('Authorization', 'aUTHORIZATION')], status: 401, challenge: INVALID_TOKEN },
    { name: 'a good token and Basic credentials are refused', lines: [good, 'Authorization: Basic Og=='], status: 401, challenge: INVALID_TOKEN },
    { name: 'an empty header and a good token are refused', lines: ['Authorization:', good], status: 401, challenge: INVALID_TOKEN },
    { name: 'a tab in place of the space is refused', lines: [`Authorization: Bearer\t${token}`], status: 401, challenge: INVALID_TOKEN },
    { name: 'a scheme alone is refused', lines: ['Authorization: Bearer '], status: 401, challenge: INVALID_TOKEN },
    { name: 'a folded header is refused', lines: ['Authorization: Bearer', ` ${token}`], status: 400 },
    { name: 'a bare line break in the token is refused', lines: [`Authorization: Bearer ${token.slice(0, 20)}\n${token.slice(20)}`], status: 400 },
    { name: 'a token of 20 kB is refused', lines: [`Authorization: Bearer ${'x'.repeat(20_000)}`], status: 431 },
    { name: 'no header at all is refused', lines: [], status: 401, challenge: NO_TOKEN },
    { name: 'a connection header does not take the token away', lines: [good, 'Connection: Authorization'], status: 200 }
  ]
  for (const { name, lines, status, challenge } of cases) {
    t.test(name, async (t) => {
      t.strictSame(await readRaw(...lines), { status, challenge })
    })
  }

  t.test('and the process goes on', async (t) => {
    t.strictSame(await readRaw(good), { status: 200, challenge: undefined })
  })
})

t.test('a token without the scope is refused and told which one it lacks', async (t) => {
  const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'johndoe', password: 'secret', scope: 'account' })

  const response = await readProfile(app, token)

  t.equal(response.statusCode, 403)
  t.equal(response.headers['www-authenticate'], 'Bearer realm="latchkey", error="insufficient_scope", scope="profile"')
  t.equal(response.headers['cache-control'], 'no-store')
  t.strictSame(response.json(), { statusCode: 403, code: 'insufficient_scope', error: 'Forbidden', message: 'The access token does not allow this' })
})

t.test('a scope that only contains the needed one is not it', async (t) => {
  const forge = await createForge(app)
  for (const scope of ['', ' ', 'profiles', 'PROFILE', 'profile,account', 'profile\taccount', 'account:profile']) {
    const response = await readProfile(app, forge.withClaims({ scope }))

    t.equal(response.statusCode, 403, scope)
  }
})

t.test('the profile is for nobody\'s cache', async (t) => {
  const { access_token: token } = await logIn(app)

  const { headers } = await readProfile(app, token)

  t.match(headers, { 'cache-control': 'no-store', pragma: 'no-cache', vary: 'Authorization' })
  t.equal(headers.etag, undefined)
})

t.test('with CORS the answer varies with the origin too', async (t) => {
  const app = await build(t, { CORS_ORIGINS: 'https://app.example' })
  const { access_token: token } = await logIn(app)

  const { headers } = await readProfile(app, token)

  t.equal(headers.vary, 'Authorization, Origin')
})

t.test('HEAD is guarded as GET is, once', async (t) => {
  const { access_token: token } = await logIn(app)
  const looks = t.capture(app.sessions, 'findLive', app.sessions.findLive)

  const stranger = await app.inject({ method: 'HEAD', url: '/users/me' })
  t.equal(stranger.statusCode, 401)
  t.equal(stranger.headers['www-authenticate'], NO_TOKEN)
  t.equal(stranger.body, '')
  t.equal(looks().length, 0)

  const owner = await app.inject({ method: 'HEAD', url: '/users/me', headers: { authorization: `Bearer ${token}` } })
  t.equal(owner.statusCode, 200)
  t.equal(owner.body, '')
  t.equal(looks().length, 1)
})

t.test('in a thousand interleaved requests everybody is himself', async (t) => {
  const ada = await createUser(app, { username: 'ada' })
  const bob = await createUser(app, { username: 'bob' })
  const adas = await logIn(app, { grant_type: 'password', username: 'ada', password: 'correct horse battery' })
  const bobs = await logIn(app, { grant_type: 'password', username: 'bob', password: 'correct horse battery' })

  const ids = await Promise.all(Array.from({ length: 1000 }, async (_, index) => {
    const response = await readProfile(app, index % 2 === 0 ? adas.access_token : bobs.access_token)
    return response.json().id
  }))

  t.strictSame(ids, Array.from({ length: 1000 }, (_, index) => index % 2 === 0 ? ada.id : bob.id))
})
