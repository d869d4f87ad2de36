import t from 'tap'
import { build, FORM_HEADERS, isOAuthError, JOHN, postForm, stopClock } from '../helper.ts'
import { exchange, listen, request } from '../raw-http.ts'

const NOT_FOUND = { statusCode: 404, code: 'not_found', error: 'Not Found', message: 'There is nothing here' }
const MALFORMED = { statusCode: 400, code: 'bad_request', error: 'Bad Request', message: 'The request is malformed' }

const unknown = [
  '/nothing', '//token', '/token//', '/TOKEN', '/Token', '/token;x', '/token;x=y', '/token%2F', '/token/x',
  '/nothing/..%2ftoken', '/token%00', '/token%20', '/token%3Fa', '/token.json', '/tok', '/tokens', '/user', '/users/a/b',
  '/verify.', '/verifyx', '/health', '/healthz', '/readyz', '/metrics', '/.env', '/__proto__', '/constructor'
]

t.test('a path that is not known', async (t) => {
  const app = await build(t)

  for (const path of unknown) {
    t.test(`${path} is 404 in an answer that does not repeat it`, async (t) => {
      const response = await app.inject({ method: 'POST', url: `${path}?secret=CANARY`, headers: FORM_HEADERS, payload: new URLSearchParams(JOHN).toString() })

      t.equal(response.statusCode, 404)
      t.strictSame(response.json(), NOT_FOUND)
      t.equal(response.headers.allow, undefined)
      t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    })
  }
})

const spellings = ['/token', '/token/', '/%74oken', '/%74%6f%6B%65%6e/']

for (const spelling of spellings) {
  t.test(`${spelling} is the token endpoint with all of its rules`, async (t) => {
    const app = await build(t)
    stopClock(app)

    const good = await postForm(app, spelling, JOHN)
    const wrong = await postForm(app, spelling, { ...JOHN, password: 'wrong' })
    const large = await postForm(app, spelling, `a=${'b'.repeat(8192)}`)
    const method = await app.inject({ method: 'GET', url: spelling })

    t.strictSame(Object.keys(good.json()), ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'])
    isOAuthError(t, wrong, 400, 'invalid_grant')
    isOAuthError(t, large, 413, 'invalid_request')
    isOAuthError(t, method, 405, 'invalid_request')
    t.equal(method.headers.allow, 'POST')
  })
}

for (const spelling of ['/users/me', '/users/me/', '/%75sers/me', '/users%2Fme', '//users/me', '/users/me;x', '/USERS/ME']) {
  t.test(`${spelling} is not served without a token`, async (t) => {
    const app = await build(t)

    const response = await app.inject(spelling)

    t.ok([401, 404].includes(response.statusCode), `${response.statusCode}`)
  })
}

for (const path of ['/%', '/%zz', '/%ff', '/token%', '/token%c0%80', '/verify/%ed%a0%80', '/%E0%A4%A', '/health/live%z']) {
  t.test(`${path} is not a path`, async (t) => {
    const app = await build(t)

    const response = await app.inject({ method: 'POST', url: `${path}?secret=CANARY` })

    t.equal(response.statusCode, 400)
    t.strictSame(response.json(), MALFORMED)
    t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
}

t.test('a long path after /verify/ is asked about like a short one', async (t) => {
  const app = await build(t)

  const response = await app.inject(`/verify/${'a'.repeat(8000)}`)

  t.equal(response.statusCode, 401)
})

t.test('dots in a path mean nothing, and the rest holds over a connection too', async (t) => {
  const port = await listen(await build(t))

  for (const { target, status } of [
    { target: '//token', status: 404 },
    { target: '/users/../token', status: 404 },
    { target: '/users/x/../me', status: 404 },
    { target: '/./token', status: 404 },
    { target: '/%2e%2e/%2e%2e/etc/passwd', status: 404 },
    { target: '/token;x', status: 404 },
    { target: '/%zz', status: 400 },
    { target: '/%74oken', status: 400 },
    { target: 'http://elsewhere.example//token', status: 404 }
  ]) {
    const [answer] = await exchange(t, port, request(`POST ${target}`))

    t.equal(answer?.status, status, target)
  }
})
