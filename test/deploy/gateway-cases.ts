import type { Test } from 'tap'
import { postForm, readProfile } from '../helper.ts'
import { exchange, request } from '../raw-http.ts'
import { decode } from '../tokens.ts'
import type { Gateway, Received } from './gateway.ts'

const bearer = (token: string): string => `authorization: Bearer ${token}`

/** How services that are careless read names of headers. */
const plain = (name: string): string => name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase()

/** The values of a header, however its name is spelled. */
export function valuesOf (received: Received | undefined, name: string): string[] {
  return received?.headers.filter(([sent]) => plain(sent) === plain(name)).map(([, value]) => value) ?? []
}

const SPELLINGS = ['X-Auth-User', 'x-auth-user', 'X-AUTH-USER', 'X_Auth_User', 'X.Auth.User', 'X-Auth_User', 'X_AUTH-USER', 'X-Auth-Scope', 'X_Auth_Scope', 'X-Auth-Session', 'X.Auth.Session', 'X-Auth-Username', 'X_Auth_Username']

/** Every path of those is refused, or reaches the API as /admin does: with the scope that /admin needs. */
const ODD_PATHS = ['//admin', '/%61dmin', '/%41dmin', '/admin;x', '/admin;x=y/z', '/;/admin', '/admin/.', '/./admin', '/public/../admin', '/public/%2e%2e/admin', '/public/..%2fadmin', '/%2fadmin', '/admin%2f', '/admin%00', '/admin%0a', '/admin%5c', '/\\admin', '/admin%', '/admin%zz', '/admin%253Bx', '/a//b', '/admin/..;/x']
const OTHER_CASES = ['/ADMIN', '/Admin/', '/aDMIN/users', '/admin', '/admin/', '/admin/users', '/admin?x=1', '/admin/?//']

export function checkTokens (t: Test, gateway: Gateway, { revokedStatus }: { revokedStatus: number }): void {
  const { ask, tokens, adminTokens, forge, app } = gateway

  t.test('without a token nothing reaches the API', async (t) => {
    const { answer, received } = await ask('GET /things')

    t.equal(answer.status, 401)
    t.match(answer.headers['www-authenticate'], /^Bearer realm="\w+"$/)
    t.equal(received, undefined)
  })

  t.test('a valid token says who it is', async (t) => {
    const { sub, sid, scope } = decode(tokens.access_token.split('.')[1])

    const { answer, received } = await ask('GET /things?a=b', [bearer(tokens.access_token)])

    t.equal(answer.status, 200)
    t.match(received, { method: 'GET', url: '/things?a=b' })
    t.strictSame(valuesOf(received, 'X-Auth-User'), [sub])
    t.strictSame(valuesOf(received, 'X-Auth-Session'), [sid])
    t.strictSame(valuesOf(received, 'X-Auth-Scope'), [scope])
  })

  for (const { name, make } of [
    { name: 'that has expired', make: () => forge.withClaims({ iat: 1_600_000_000, exp: 1_600_000_600 }) },
    { name: 'of another issuer', make: () => forge.withClaims({ iss: 'https://elsewhere.example.com' }) },
    { name: 'for somebody else', make: () => forge.withClaims({ aud: 'https://elsewhere.example.com' }) },
    { name: 'of another type', make: () => forge.withHeader({ typ: 'JWT' }) },
    { name: 'without an algorithm', make: () => forge.withHeader({ alg: 'none' }).replace(/[^.]*$/, '') },
    { name: 'with another signature', make: () => tokens.access_token.replace(/[^.]*$/, adminTokens.access_token.replace(/^.*\./, '')) },
    { name: 'that is none', make: () => 'nonsense' }
  ]) {
    t.test(`a token ${name} is refused`, async (t) => {
      const { answer, received } = await ask('GET /things', [bearer(make())])

      t.equal(answer.status, 401)
      t.match(answer.headers['www-authenticate'], /^Bearer realm="\w+", error="invalid_token"$/)
      t.equal(received, undefined)
    })
  }

  t.test('a token that allows too little is refused with what is missing', async (t) => {
    const refused = await ask('POST /admin/users', [bearer(tokens.access_token), 'content-length: 0'])
    const allowed = await ask('POST /admin/users', [bearer(adminTokens.access_token), 'content-length: 0'])

    t.equal(refused.answer.status, 403)
    t.match(refused.answer.headers['www-authenticate'], /^Bearer realm="\w+", error="insufficient_scope", scope="users:write"$/)
    t.equal(refused.received, undefined)
    t.match(allowed, { answer: { status: 200 }, received: { method: 'POST' } })
  })

  t.test(`a token whose session was ended gets ${revokedStatus}`, async (t) => {
    await postForm(app, '/revoke', { token: forge.refreshToken })

    const { answer } = await ask('GET /things', [bearer(forge.token)])

    t.equal(answer.status, revokedStatus)
  })
}

export function checkSpoofing (t: Test, { ask, tokens, adminTokens }: Gateway): void {
  for (const spelling of SPELLINGS) {
    t.test(`${spelling} of a client does not reach the API`, async (t) => {
      const { answer, received } = await ask('GET /things', [bearer(tokens.access_token), `${spelling}: CANARY`, `${spelling}: CANARY2`])

      t.equal(answer.status, 200)
      t.notMatch(answer.body, 'CANARY')
      t.equal(valuesOf(received, 'X-Auth-User').length, 1)
    })
  }

  for (const spelling of ['X-Auth-User', 'x-auth-user, X-Auth-Scope', 'keep-alive, X-Auth-User, close']) {
    t.test(`Connection: ${spelling} does not drop who it is`, async (t) => {
      const { answer, received } = await ask('GET /things', [bearer(tokens.access_token), `Connection: ${spelling}`, 'Connection: close'])

      t.equal(answer.status, 200)
      t.equal(valuesOf(received, 'X-Auth-User').length, 1)
      t.equal(valuesOf(received, 'X-Auth-Scope').length, 1)
      t.notMatch(valuesOf(received, 'Connection').join(), /auth/i)
    })
  }

  t.test('where a request comes from is for the gateway to say', async (t) => {
    const { received } = await ask('GET /things', [bearer(tokens.access_token), 'X-Forwarded-For: 192.0.2.66', 'X-Forwarded-For: 192.0.2.67'])

    t.strictSame(valuesOf(received, 'X-Forwarded-For'), ['127.0.0.1'])
  })

  t.test('the gateway and the API do not look at two different tokens', async (t) => {
    for (const [first, second] of [[tokens, adminTokens], [adminTokens, tokens]] as const) {
      const { answer, received } = await ask('GET /things', [bearer(first.access_token), bearer(second.access_token)])

      const [user] = valuesOf(received, 'X-Auth-User')
      const seen = valuesOf(received, 'Authorization').map((value) => decode(value.split('.')[1]).sub)
      t.ok(answer.status === 401 || answer.status === 400 || (seen.length === 1 && seen[0] === user), String(answer.status))
    }
  })
}

export function checkPaths (t: Test, { ask, tokens, adminTokens }: Gateway): void {
  for (const path of ODD_PATHS) {
    t.test(`${path}, which could be read as another path, is refused`, async (t) => {
      for (const { access_token: token } of [tokens, adminTokens]) {
        const { answer, received } = await ask(`GET ${path}`, [bearer(token)])

        t.equal(answer.status, 400)
        t.equal(received, undefined)
      }
    })
  }

  for (const path of OTHER_CASES) {
    t.test(`${path} needs what /admin needs`, async (t) => {
      t.equal((await ask(`GET ${path}`, [bearer(tokens.access_token)])).answer.status, 403)
      t.match(await ask(`GET ${path}`, [bearer(adminTokens.access_token)]), { answer: { status: 200 }, received: { url: path } })
    })
  }

  t.test('paths that only begin alike, and encoded ones that have to be, are let through as they are', async (t) => {
    for (const path of ['/administrators', '/things/%C3%A9t%C3%A9?q=%2F..%2F;//', '/a%20b', '/a.b/..c', '/~me/-_']) {
      t.match(await ask(`GET ${path}`, [bearer(tokens.access_token)]), { answer: { status: 200 }, received: { url: path } })
    }
  })

  t.test('forged X-Forwarded-Uri and X-Forwarded-Method change nothing', async (t) => {
    const { answer } = await ask('GET /admin', [bearer(tokens.access_token), 'X-Forwarded-Uri: /things', 'X-Original-URI: /things', 'X-Original-URL: /things', 'X-Rewrite-URL: /things', 'X-Forwarded-Method: OPTIONS', 'X-HTTP-Method-Override: OPTIONS'])

    t.equal(answer.status, 403)
  })
}

/** Two users by turns, though the API says that anybody may keep its answers. */
export function checkCaching (t: Test, { ask, tokens, adminTokens }: Gateway): void {
  t.test('nobody gets the answer of somebody else', async (t) => {
    const users: string[] = []
    for (const { access_token: token } of [tokens, adminTokens, tokens, adminTokens]) {
      users.push(...valuesOf((await ask('GET /things', [bearer(token)])).received, 'X-Auth-User'))
    }

    t.strictSame(users, [tokens, adminTokens, tokens, adminTokens].map(({ access_token: token }) => decode(token.split('.')[1]).sub))
    t.equal((await ask('GET /things')).answer.status, 401)
  })
}

export async function checkLogin (t: Test, { app, log, loginPort, tokens: { access_token: token } }: Gateway): Promise<void> {
  const [profile] = await exchange(t, loginPort, request('GET /users/me', `${bearer(token)}\r\nX-Forwarded-For: 192.0.2.66\r\nX-Forwarded-For: 192.0.2.67\r\n`))
  const [jwks] = await exchange(t, loginPort, request('GET /.well-known/jwks.json'))

  t.equal(profile?.status, 200)
  t.strictSame(log.lines.filter(({ path }) => path === '/users/me').map(({ ip }) => ip), ['127.0.0.1'])
  t.notMatch(log.text(), '192.0.2.6')
  t.strictSame(JSON.parse(profile?.body ?? ''), (await readProfile(app, token)).json())
  t.equal(jwks?.status, 200)
}
