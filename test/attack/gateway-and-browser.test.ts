import t from 'tap'
import { exchange, request, type Answer } from '../raw-http.ts'
import { FORM, jsonRequest, runCases, startTarget, tokenRequest, type Case, type Expected } from './target.ts'

const LISTED = 'https://app.example.com'
const SAFE = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'content-security-policy': "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  vary: /Authorization/,
  server: undefined,
  'x-powered-by': undefined,
  'set-cookie': undefined
}
const FORGED = [
  'x-auth-user: root', 'x-auth-username: root', 'x-auth-scope: users:write', 'x_auth_user: root', 'x.auth.user: root', 'x-user-id: root', 'remote-user: root',
  'x-forwarded-for: 203.0.113.1', 'x-forwarded-host: evil.example', 'x-forwarded-proto: javascript', 'forwarded: for=203.0.113.1;host=evil.example;proto=http',
  'x-forwarded-uri: /health/live', 'x-forwarded-method: OPTIONS', 'x-original-url: /health/live', 'x-rewrite-url: /health/live',
  `x-request-id: ${'x'.repeat(8000)}`, 'x-correlation-id: {"level":60}'
].map((line) => `${line}\r\n`).join('')

const noToken: Expected = { status: 401, headers: { ...SAFE, 'www-authenticate': 'Bearer realm="latchkey"' }, json: { code: 'unauthorized' } }
const notFound: Expected = { status: 404, headers: SAFE, json: { code: 'not_found' } }
const withoutCors = { 'access-control-allow-origin': undefined, 'access-control-allow-methods': undefined, 'access-control-allow-credentials': undefined }
const from = (origin: string): string => `origin: ${origin}\r\n`
const preflight = (origin: string): string => `${from(origin)}access-control-request-method: GET\r\naccess-control-request-headers: authorization\r\n`
const corsOf = ({ headers }: Answer): string[] => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

const strangers = ['https://evil.example', 'null', 'http://app.example.com', 'https://app.example.com.evil.example', `${LISTED}, https://evil.example`]

const cases: Case[] = [
  { name: 'who claims to be somebody by headers', text: request('GET /verify', FORGED), answer: noToken },
  { name: 'who claims to ask for something public', text: request('GET /verify/admin', FORGED), answer: noToken },
  ...['//verify', '/%76erify/x', '/verify/../users/me', '/verify/.', '/verify//', '/verify/%2e%2e/%2e%2e', '/verify;x', '/VERIFY'].map((path) => ({
    name: `who asks for ${path} without a token`,
    text: request(`GET ${path}`),
    answer: { status: Number, headers: SAFE, json: { code: /^(?:unauthorized|not_found)$/ } } as unknown as Expected
  })),
  ...strangers.map((origin) => ({ name: `a page of ${origin}`, text: request('GET /health/live', from(origin)), answer: { status: 200, headers: { ...SAFE, ...withoutCors } } })),
  ...strangers.map((origin) => ({ name: `a preflight of ${origin}`, text: request('OPTIONS /users/me', preflight(origin)), answer: { status: 405, headers: { ...SAFE, ...withoutCors } } })),
  { name: 'a page that is listed', text: request('GET /health/live', from(LISTED)), answer: { status: 200, headers: { ...SAFE, 'access-control-allow-origin': LISTED, 'access-control-allow-credentials': undefined, vary: /Origin/ } } },
  { name: 'a form of another site', text: tokenRequest(FORM, `content-type: application/x-www-form-urlencoded\r\n${from('https://evil.example')}sec-fetch-site: cross-site\r\ncookie: session=1\r\n`), answer: { status: 200, headers: { ...SAFE, ...withoutCors } } },
  { name: 'who looks for figures', text: request('GET /metrics'), answer: notFound },
  ...['/healthz', '/readyz', '/.env', '/.git/config', '/admin', '/debug/pprof', '/docs/../package.json', '/docs/static/..%2f..%2fpackage.json', '/docs/static/%2e%2e/%2e%2e/package.json'].map((path) => ({ name: `who looks for ${path}`, text: request(`GET ${path}`), answer: { status: 404, json: { code: 'not_found' } } })),
  { name: 'who asks whether it lives', text: request('GET /health/live'), answer: { status: 200, headers: SAFE, json: { status: 'live' } } },
  { name: 'who asks whether it is ready', text: request('GET /health/ready'), answer: { status: 200, headers: SAFE, json: { status: 'ready' } } },
  { name: 'who wants the link in his mail to lead elsewhere', text: jsonRequest('POST /password-reset', '{"email":"ada@example.com"}', FORGED).replace('host: latchkey', 'host: evil.example'), answer: { status: 202, headers: SAFE } }
]

t.test('behind no gateway, in front of browsers, the service is not taken in by', async (t) => {
  const target = await startTarget(t, { CORS_ORIGINS: LISTED, TRUST_PROXY: 'none' })
  runCases(t, target, cases)

  t.test('who names another host: the metadata and the keys are the same', async (t) => {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/jwks.json']) {
      const [plain] = await exchange(t, target.port, request(`GET ${path}`))

      const forged = await target.attack(t, { name: '', text: request(`GET ${path}`, FORGED).replace('host: latchkey', 'host: evil.example'), answer: { status: 200 } })

      t.equal(forged.body, plain?.body)
    }
  })

  t.test('who sends headers of a gateway along with a good token: he is himself', async (t) => {
    const { access_token: token } = await target.logIn()

    const [answer] = await exchange(t, target.port, request('GET /verify/x', `${FORGED}authorization: Bearer ${token}\r\nconnection: x-auth-user\r\n`))

    t.match(answer, { status: 204, headers: { 'x-auth-username': 'ada', 'x-auth-scope': 'profile account', 'x-auth-user': /^[0-9a-f-]{36}$/ } })
    t.strictSame(Object.values(answer?.headers ?? {}).filter((value) => !/^[\x20-\x7E]*$/.test(value)), [], 'in clean ASCII')
  })

  t.test('a preflight of a page that is listed: it allows what is stated, and no credentials', async (t) => {
    const [answer] = await exchange(t, target.port, request('OPTIONS /users/me', preflight(LISTED)))

    t.match(answer, { status: 204, headers: { 'access-control-allow-origin': LISTED } })
    t.strictSame(corsOf(answer as Answer).toSorted(), ['access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-origin', 'access-control-expose-headers', 'access-control-max-age'])
  })

  t.test('who wants to be sent elsewhere', async (t) => {
    for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'https:evil.example', 'javascript:alert(1)', '%0d%0alocation:%20https://evil.example']) {
      for (const path of ['/', '/email-verification', '/password-reset', '/docs', '/.well-known/jwks.json']) {
        const [answer] = await exchange(t, target.port, request(`GET ${path}?next=${next}&redirect_uri=${next}&url=${next}`))

        t.equal(answer?.headers.location, path === '/' ? 'docs' : undefined)
      }
    }
  })

  t.test('who wants the documentation to show another document', async (t) => {
    const [plain] = await exchange(t, target.port, request('GET /docs'))
    const [answer] = await exchange(t, target.port, request('GET /docs?url=https://evil.example/x.json&configUrl=https://evil.example/y.json'))
    const [initializer] = await exchange(t, target.port, request('GET /docs/static/swagger-initializer.js'))

    t.equal(answer?.body, plain?.body)
    t.match(answer?.headers['content-security-policy'], /connect-src 'self';/)
    t.notMatch(initializer?.body, /queryConfigEnabled/)
  })
})

t.test('with the documentation off there is none of it', async (t) => {
  const target = await startTarget(t, { DOCS: 'false' })

  for (const path of ['/', '/docs', '/docs/', '/docs/json', '/docs/static/index.html', '/openapi.json']) {
    await target.attack(t, { name: path, text: request(`GET ${path}`), answer: notFound })
  }
})
