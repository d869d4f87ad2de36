import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { build, FORM_HEADERS, logIn } from '../../helper.ts'

const LISTED = 'https://app.example.com'
const CORS = { CORS_ORIGINS: `${LISTED}, https://admin.example.com:8443` }

const STRANGERS = ['https://evil.example.com', 'null', 'http://app.example.com', 'https://app.example.com:444', 'https://app.example.com.evil.example', 'https://APP.example.com', 'https://app.example.com/']

async function preflight (app: FastifyInstance, url: string, origin: string): Promise<LightMyRequestResponse> {
  return await app.inject({
    method: 'OPTIONS',
    url,
    headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }
  })
}

const corsHeaders = ({ headers }: LightMyRequestResponse): Array<[string, unknown]> => Object.entries(headers).filter(([name]) => name.startsWith('access-control-'))
const varyOf = ({ headers }: LightMyRequestResponse): string[] => String(headers.vary).split(', ').toSorted()

t.test('Without a list no origin is told anything', async (t) => {
  const app = await build(t)

  const answer = await app.inject({ url: '/users/me', headers: { origin: LISTED } })
  const asked = await preflight(app, '/users/me', LISTED)

  t.strictSame(corsHeaders(answer), [])
  t.strictSame(varyOf(answer), ['Authorization'])
  t.strictSame(corsHeaders(asked), [])
  t.equal(asked.statusCode, 405)
})

for (const origin of [LISTED, 'https://admin.example.com:8443']) {
  t.test(`A page of ${origin}, which is listed, may read answers and the headers that explain a refusal`, async (t) => {
    const app = await build(t, CORS)

    const response = await app.inject({ url: '/users/me', headers: { origin } })

    t.equal(response.statusCode, 401)
    t.strictSame(corsHeaders(response), [
      ['access-control-allow-origin', origin],
      ['access-control-expose-headers', 'www-authenticate, retry-after']
    ])
    t.strictSame(varyOf(response), ['Authorization', 'Origin'])
  })

  t.test(`A preflight of ${origin}, which is listed, needs no token and allows one`, async (t) => {
    const app = await build(t, CORS)

    const response = await preflight(app, '/users/me', origin)

    t.equal(response.statusCode, 204)
    t.strictSame(Object.fromEntries(corsHeaders(response)), {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'www-authenticate, retry-after',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600'
    })
    t.strictSame(varyOf(response), ['Authorization', 'Origin'])
  })
}

t.test('A page of a listed origin logs in and reads the profile', async (t) => {
  const app = await build(t, CORS)

  const login = await app.inject({ method: 'POST', url: '/token', headers: { origin: LISTED, ...FORM_HEADERS }, payload: 'grant_type=password&username=johndoe&password=secret' })
  const profile = await app.inject({ url: '/users/me', headers: { origin: LISTED, authorization: `Bearer ${login.json().access_token}` } })

  t.match(login.headers, { 'access-control-allow-origin': LISTED })
  t.equal(profile.statusCode, 200)
  t.match(profile.headers, { 'access-control-allow-origin': LISTED })
})

for (const origin of STRANGERS) {
  t.test(`A page of ${origin} may read nothing, and learns nothing from a preflight`, async (t) => {
    const app = await build(t, CORS)

    const answer = await app.inject({ url: '/users/me', headers: { origin } })
    const asked = await preflight(app, '/users/me', origin)

    t.strictSame(corsHeaders(answer), [])
    t.strictSame(varyOf(answer), ['Authorization', 'Origin'])
    t.strictSame(corsHeaders(asked), [])
    t.strictSame(varyOf(asked), ['Authorization', 'Origin'])
    t.equal(asked.statusCode, 405)
    t.match(asked.headers, { allow: 'GET, HEAD' })
    t.strictSame(asked.json(), { statusCode: 405, code: 'method_not_allowed', error: 'Method Not Allowed', message: 'This method is not supported here' })
  })
}

t.test('A request without an origin gets no answer that a cache could give to a page', async (t) => {
  const app = await build(t, CORS)

  const response = await app.inject('/users/me')

  t.strictSame(corsHeaders(response), [])
  t.strictSame(varyOf(response), ['Authorization', 'Origin'])
})

t.test('Keys that caches keep are kept by origin, and only by that', async (t) => {
  const app = await build(t, CORS)

  const [listed, stranger] = await Promise.all([LISTED, STRANGERS[0]].map(async (origin = '') => await app.inject({ url: '/.well-known/jwks.json', headers: { origin } })))

  t.match(listed?.headers, { 'access-control-allow-origin': LISTED, vary: 'Origin' })
  t.match(stranger?.headers, { 'access-control-allow-origin': undefined, vary: 'Origin' })
})

t.test('A preflight is no way past the gateway', async (t) => {
  const app = await build(t, CORS)
  const { access_token: token } = await logIn(app)

  const anonymous = await preflight(app, '/verify/orders', LISTED)
  const known = await app.inject({ method: 'OPTIONS', url: '/verify/orders', headers: { origin: LISTED, authorization: `Bearer ${token}` } })

  t.equal(anonymous.statusCode, 401)
  t.strictSame(corsHeaders(anonymous), [])
  t.equal(known.statusCode, 204)
  t.equal(known.headers['x-auth-username'], 'johndoe')
})

t.test('What a listed origin asks like a preflight, but without naming a method, is answered like one', async (t) => {
  const app = await build(t, CORS)

  const response = await app.inject({ method: 'OPTIONS', url: '/users/me', headers: { origin: LISTED } })

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
})

t.test('Paths that are not there are not there for pages either', async (t) => {
  const app = await build(t, CORS)

  t.equal((await app.inject({ url: '/nothing', headers: { origin: LISTED } })).statusCode, 404)
  t.equal((await preflight(app, '/nothing', STRANGERS[0] ?? '')).statusCode, 404)
})
