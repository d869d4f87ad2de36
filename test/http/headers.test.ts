import t from 'tap'
import { buildWithRoutes } from '../collect-routes.ts'
import { build, FORM_HEADERS, JOHN, logIn, postForm, readProfile, requestToken } from '../helper.ts'
import { exchange, listen, request } from '../raw-http.ts'

const EVERYWHERE = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff'
}
const PRIVATE = { ...EVERYWHERE, 'cache-control': 'no-store', pragma: 'no-cache', vary: 'Authorization', 'cross-origin-resource-policy': 'same-origin' }
const PUBLIC = { ...EVERYWHERE, 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin' }
const TELLTALE = /^(?:server|x-powered-by|via|x-runtime|x-.*version)$/
const OURS = new Set(Object.keys(PRIVATE))

const only = (headers: object): object => Object.fromEntries(Object.entries(headers).filter(([name]) => OURS.has(name)))

t.test('every answer has the same headers of security', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)
  const authorization = `Bearer ${token}`

  const answers = {
    'a log-in': await requestToken(app),
    'a log-in that failed': await requestToken(app, { ...JOHN, password: 'wrong' }),
    'a log-out': await postForm(app, '/revoke', { token: 'unknown' }),
    'a profile': await readProfile(app, token),
    'a profile without a token': await app.inject('/users/me'),
    'only the headers of a profile': await app.inject({ method: 'HEAD', url: '/users/me', headers: { authorization } }),
    'what a gateway asked': await app.inject({ url: '/verify', headers: { authorization } }),
    'what a gateway may not': await app.inject({ url: '/verify?scope=users:write', headers: { authorization } }),
    'the state of health': await app.inject('/health/live'),
    'the way to the documentation': await app.inject('/'),
    'the document of the interface': await app.inject('/openapi.json'),
    'an unknown path': await app.inject('/nothing'),
    'a wrong method': await app.inject('/token'),
    'no path at all': await app.inject('/%zz'),
    'too large a body': await postForm(app, '/token', 'a'.repeat(9000))
  }

  for (const [name, { headers }] of Object.entries(answers)) {
    t.strictSame(only(headers), PRIVATE, name)
    t.strictSame(Object.keys(headers).filter((header) => TELLTALE.test(header) || /^access-control-|^set-cookie$|^etag$/.test(header)), [], name)
    t.notMatch(JSON.stringify(headers), /fastify|node\b|latchkey\/\d|v?24\.\d+/i, name)
  }
})

for (const path of ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']) {
  t.test(`${path} may be cached and used from everywhere`, async (t) => {
    const app = await build(t)

    const { headers } = await app.inject(path)

    t.strictSame(only(headers), PUBLIC)
  })
}

t.test('what never becomes a request is answered with them too', async (t) => {
  const port = await listen(await build(t))

  const [malformed] = await exchange(t, port, 'GET /health/live HTTP/1.1\r\nhost : latchkey\r\n\r\n')
  const [overflow] = await exchange(t, port, request('GET /health/live', `x-a: ${'b'.repeat(20_000)}\r\n`))

  for (const answer of [malformed, overflow]) {
    t.strictSame(only(answer?.headers ?? {}), PRIVATE)
    t.strictSame(Object.keys(answer?.headers ?? {}).filter((name) => !OURS.has(name)).toSorted(), ['connection', 'content-length', 'content-type'])
  }
})

t.test('the documentation page may load what it needs, from here alone', async (t) => {
  const app = await build(t)

  const { headers } = await app.inject('/docs/')

  t.match(headers, { ...EVERYWHERE, 'content-security-policy': /default-src 'none'/ })
  t.match(headers['content-security-policy'], /frame-ancestors 'none'/)
  t.notMatch(headers['content-security-policy'], /unsafe|\*|https?:/)
})

t.test('no site that opens a page gets a hold of its window', async (t) => {
  const { app, routes, docsRoutes } = await buildWithRoutes(t)
  // Of the files, that is the page.
  const urls = [...routes, ...docsRoutes].filter(({ method }) => method === 'GET').map(({ url }) => url.replace('*', 'oauth2-redirect.html'))

  const policies: Record<string, unknown> = {}
  for (const url of urls) {
    const { headers } = await app.inject(url)
    if (String(headers['content-type']).startsWith('text/html')) policies[url] = headers['cross-origin-opener-policy']
  }

  const pages = ['/docs', '/docs/static/oauth2-redirect.html', '/email-verification', '/password-reset']
  t.same(policies, Object.fromEntries(pages.map((url) => [url, 'same-origin'])))
})

t.test('a form from another site logs nobody in there: no cookie, and an answer that the site can not read', async (t) => {
  const app = await build(t)

  const answer = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { ...FORM_HEADERS, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', cookie: 'session=1' },
    payload: new URLSearchParams(JOHN).toString()
  })

  t.equal(answer.headers['set-cookie'], undefined)
  t.equal(answer.headers['access-control-allow-origin'], undefined)
  t.equal(answer.headers['cross-origin-resource-policy'], 'same-origin')
})
