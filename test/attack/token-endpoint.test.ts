import t from 'tap'
import { exchange, request } from '../raw-http.ts'
import { ADA, FORM, runCases, startTarget, tokenRequest, type Case, type Expected } from './target.ts'

const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' }
const FORM_TYPE = 'content-type: application/x-www-form-urlencoded\r\n'

const oauthError = (error: string, status = 400, headers = {}): Expected => ({
  status,
  headers: { ...NOT_STORED, ...headers },
  json: { error, error_description: /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/ }
})
const invalid = oauthError('invalid_request')
const notAllowed = oauthError('invalid_request', 405, { allow: 'POST' })
const unsupported = oauthError('invalid_request', 415)
const granted = (scope: string): Expected => ({ status: 200, headers: NOT_STORED, json: { token_type: 'bearer', expires_in: Number, scope } })
const basic = (pair: string | Buffer): string => `authorization: Basic ${Buffer.from(pair).toString('base64')}\r\n`
const typed = (type: string): string => `content-type: ${type}\r\n`

const refused: Case[] = [
  { name: 'no grant type', text: tokenRequest('username=ada&password=CANARY'), answer: invalid },
  { name: 'an unknown grant type', text: tokenRequest(FORM.replace('=password', '=foo')), answer: oauthError('unsupported_grant_type') },
  { name: 'a grant type in capitals', text: tokenRequest(FORM.replace('=password', '=PASSWORD')), answer: oauthError('unsupported_grant_type') },
  { name: 'two grant types', text: tokenRequest(`${FORM}&grant_type=password`), answer: invalid },
  { name: 'two passwords, the second one right', text: tokenRequest(`grant_type=password&username=ada&password=x&${FORM.slice(FORM.indexOf('password=CANARY'))}`), answer: invalid },
  ...['username[]', 'username[0]', 'username.x'].map((name) => ({ name: `${name} for a username`, text: tokenRequest(`grant_type=password&${name}=ada&password=CANARY`), answer: invalid })),
  { name: 'an empty username', text: tokenRequest('grant_type=password&username=&password=CANARY'), answer: invalid },
  { name: 'an empty password', text: tokenRequest('grant_type=password&username=ada&password='), answer: invalid },
  { name: 'another username in the query', text: tokenRequest(FORM, FORM_TYPE, 'POST /token?username=root'), answer: invalid },
  { name: 'credentials in the query alone', text: tokenRequest('', FORM_TYPE, `POST /token?${FORM}`), answer: invalid },
  { name: 'credentials in the query of a GET', text: request(`GET /token?${FORM}`), answer: notAllowed },
  ...['PUT', 'PATCH', 'DELETE', 'TRACE'].map((method) => ({ name: `the method ${method}`, text: tokenRequest(FORM, FORM_TYPE, `${method} /token`), answer: notAllowed })),
  { name: 'JSON', text: tokenRequest(JSON.stringify(ADA), typed('application/json')), answer: unsupported },
  { name: 'a form as plain text', text: tokenRequest(FORM, typed('text/plain')), answer: unsupported },
  { name: 'a form in parts', text: tokenRequest('--x\r\n\r\n--x--', typed('multipart/form-data; boundary=x')), answer: unsupported },
  ...['application/json(x)', 'application/json@x', 'application/json/x', 'application/json<b>', 'application/json\t', '\tapplication/x-www-form-urlencodedx', 'x'].map((type) => ({ name: `the content type ${JSON.stringify(type)}`, text: tokenRequest(FORM, typed(type)), answer: unsupported })),
  { name: 'NUL in the content type', text: tokenRequest(FORM, typed('application/x-www-form-urlencoded\0')), answer: { status: 400 } },
  { name: 'two content types', text: tokenRequest(FORM, FORM_TYPE + typed('application/json')), answer: invalid },
  { name: 'no content type', text: tokenRequest(FORM, ''), answer: unsupported },
  ...['%ff%fe', '%c0%80', '%ed%a0%80', '%zz', '%'].map((text) => ({ name: `${text} for a password`, text: tokenRequest(`grant_type=password&username=ada&password=${text}`), answer: invalid })),
  { name: 'a scope with a quote', text: tokenRequest(`${FORM}&scope=%22`), answer: oauthError('invalid_scope') },
  { name: 'a scope with NUL', text: tokenRequest(`${FORM}&scope=%00`), answer: invalid },
  { name: 'a scope outside ASCII', text: tokenRequest(`${FORM}&scope=%C3%A9`), answer: oauthError('invalid_scope') },
  { name: 'a scope of 6 kB', text: tokenRequest(`${FORM}&scope=${'x'.repeat(6000)}`), answer: oauthError('invalid_scope') },
  { name: 'only a scope that the user does not have', text: tokenRequest(`${FORM}&scope=users:write`), answer: oauthError('invalid_scope') },
  { name: 'a wrong client secret', text: tokenRequest(`${FORM}&client_id=first-party&client_secret=CANARY`), answer: oauthError('invalid_client', 401) },
  { name: 'client credentials in two places', text: tokenRequest(`${FORM}&client_id=first-party&client_secret=x`, FORM_TYPE + basic('first-party:')), answer: invalid },
  { name: 'spaces in the Basic credentials', text: tokenRequest(FORM, `${FORM_TYPE}authorization: Basic Zmlyc3Qt cGFydHk6\r\n`), answer: oauthError('invalid_client', 401, { 'www-authenticate': /^Basic / }) },
  { name: 'wrong padding in them', text: tokenRequest(FORM, FORM_TYPE + basic('first-party:').replace('\r\n', '==\r\n')), answer: oauthError('invalid_client', 401, { 'www-authenticate': /^Basic / }) },
  { name: 'bytes in them that are not UTF-8', text: tokenRequest(FORM, FORM_TYPE + basic(Buffer.from('ff3a', 'hex'))), answer: oauthError('invalid_client', 401, { 'www-authenticate': /^Basic / }) },
  { name: 'no colon in them', text: tokenRequest(FORM, FORM_TYPE + basic('first-party')), answer: oauthError('invalid_client', 401, { 'www-authenticate': /^Basic / }) },
  { name: 'markup and line breaks for a username', text: tokenRequest('grant_type=password&password=x&username=%22%5C%0D%0A%3Cb%3E'), answer: oauthError('invalid_grant') },
  ...['//token', '/token;x', '/TOKEN', '/token%2f'].map((path) => ({ name: `the path ${path}`, text: tokenRequest(FORM, FORM_TYPE, `POST ${path}`), answer: { status: 404, json: { code: 'not_found' } } }))
]

t.test('the token endpoint refuses', async (t) => {
  const target = await startTarget(t)
  runCases(t, target, refused)

  t.test('ten log-ins with two usernames, and counts none of them', async (t) => {
    for (let times = 0; times < 10; times++) await target.attack(t, { name: '', text: tokenRequest(`${FORM}&username=b`), answer: invalid })

    t.equal((await target.logIn()).scope, 'profile account')
  })

  t.test('the method HEAD', async (t) => {
    const response = await fetch(`http://127.0.0.1:${target.port}/token`, { method: 'HEAD', headers: { connection: 'close' } })

    t.equal(response.status, 405)
    t.equal(response.headers.get('allow'), 'POST')
  })

  t.test('a wrong password as it refuses an unknown name, to the byte', async (t) => {
    const [wrong] = await exchange(t, target.port, tokenRequest(`${FORM}x`))
    const [unknown] = await exchange(t, target.port, tokenRequest(FORM.replace('ada', 'bob')))

    t.match(wrong, { status: 400, headers: NOT_STORED, body: '{"error":"invalid_grant","error_description":"Wrong username or password"}' })
    t.strictSame({ ...unknown, headers: { ...unknown?.headers, date: '' } }, { ...wrong, headers: { ...wrong?.headers, date: '' } })
  })
})

t.test('the token endpoint gives tokens', async (t) => {
  const target = await startTarget(t)
  const given = [
    { name: 'for the right credentials', text: tokenRequest(FORM), scope: 'profile account' },
    { name: 'for an odd spelling of the content type', text: tokenRequest(FORM, typed('APPLICATION/X-WWW-FORM-URLENCODED;charset=UTF-8')), scope: 'profile account' },
    { name: 'for those of the scopes that the user has', text: tokenRequest(`${FORM}&scope=users:write+profile`), scope: 'profile' },
    { name: 'for scopes as a set', text: tokenRequest(`${FORM}&scope=account+profile+account`), scope: 'account profile' },
    { name: 'at the path with a slash', text: tokenRequest(FORM, FORM_TYPE, 'POST /token/'), scope: 'profile account' },
    { name: 'at the path with an escape', text: tokenRequest(FORM, FORM_TYPE, 'POST /%74oken'), scope: 'profile account' },
    { name: 'for names of the prototype beside', text: tokenRequest(`${FORM}&__proto__[polluted]=1&constructor.prototype.polluted=1`), scope: 'profile account' }
  ]

  for (const { name, text, scope } of given) {
    t.test(name, async (t) => {
      const { body } = await target.attack(t, { name, text, answer: granted(scope) })

      t.strictSame(Object.keys(JSON.parse(body) as object), ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'])
    })
  }

  t.test('by the grants that the metadata lists, and no other', async (t) => {
    const [metadata] = await exchange(t, target.port, request('GET /.well-known/oauth-authorization-server'))
    const { grant_types_supported: supported } = JSON.parse(metadata?.body ?? '') as { grant_types_supported: string[] }

    t.strictSame(supported.toSorted(), ['password', 'refresh_token'])
    for (const grant of ['authorization_code', 'client_credentials', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange']) {
      await target.attack(t, { name: grant, text: tokenRequest(`${FORM}&code=x&assertion=x`.replace('=password', `=${encodeURIComponent(grant)}`)), answer: oauthError('unsupported_grant_type') })
    }
  })
})
