import { Readable } from 'node:stream'
import t from 'tap'
import { auditEvents, build, captureLog, FORM_HEADERS, isOAuthError, JOHN, readProfile, requestToken, sendRaw } from '../../helper.ts'

const FORM = new URLSearchParams(JOHN).toString()
const CREDENTIALS = 'username=johndoe&password=secret'

t.test('POST /token exchanges a username and a password for tokens', async (t) => {
  const app = await build(t)

  const response = await requestToken(app, JOHN)

  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' })
  const { access_token: accessToken, refresh_token: refreshToken, ...rest } = response.json()
  t.strictSame(rest, { token_type: 'bearer', expires_in: 600, scope: 'profile account' })
  t.match(refreshToken, /^lkr_[\w-]{72}$/)
  t.equal((await readProfile(app, accessToken)).json().username, 'johndoe')
})

t.test('POST /token takes', async (t) => {
  const app = await build(t)
  const accepted = [
    { name: 'the media type in capitals and with a charset', type: 'APPLICATION/X-WWW-FORM-URLENCODED;charset=UTF-8' },
    { name: 'the media type as some client libraries write it', type: 'application/x-www-form-urlencoded; charset=UTF-8' },
    { name: 'empty optional parameters', form: `${FORM}&scope=&client_id=&client_secret=` },
    { name: 'unknown parameters', form: `${FORM}&resource=x&__proto__=x&constructor=x` },
    { name: 'an e-mail address for a username', form: 'grant_type=password&username=JohnDoe%40EXAMPLE.com&password=secret' },
    { name: 'a form of exactly 8 KiB', form: `${FORM}&x=`.padEnd(8192, 'x') }
  ]
  for (const { name, type = FORM_HEADERS['content-type'], form = FORM } of accepted) {
    t.test(name, async (t) => {
      const response = await app.inject({ method: 'POST', url: '/token', headers: { 'content-type': type }, payload: form })

      t.equal(response.statusCode, 200)
    })
  }
})

t.test('POST /token refuses, before any work,', async (t) => {
  const app = await build(t)
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const malformed = [
    { name: 'an empty form', form: '' },
    { name: 'no grant_type', form: CREDENTIALS },
    { name: 'an empty grant_type', form: `grant_type=&${CREDENTIALS}` },
    { name: 'grant_type twice', form: `${FORM}&grant_type=password` },
    { name: 'username twice', form: `${FORM}&username=ada` },
    { name: 'password twice, the second one right', form: 'grant_type=password&username=johndoe&password=wrong&password=secret' },
    { name: 'password twice, the first one empty', form: 'grant_type=password&username=johndoe&password=&password=secret' },
    { name: 'scope twice', form: `${FORM}&scope=profile&scope=account` },
    { name: 'client_id twice', form: `${FORM}&client_id=first-party&client_id=first-party` },
    { name: 'refresh_token twice', form: 'grant_type=refresh_token&refresh_token=a&refresh_token=a' },
    { name: 'an unknown parameter twice', form: `${FORM}&x=1&x=1` },
    { name: 'username[]', form: 'grant_type=password&username[]=johndoe&password=secret' },
    { name: 'username[0]', form: 'grant_type=password&username%5B0%5D=johndoe&password=secret' },
    { name: 'username.x', form: 'grant_type=password&username.x=johndoe&password=secret' },
    { name: 'no username', form: 'grant_type=password&password=secret' },
    { name: 'an empty username', form: 'grant_type=password&username=&password=secret' },
    { name: 'no password', form: 'grant_type=password&username=johndoe' },
    { name: 'an empty password', form: 'grant_type=password&username=johndoe&password=' },
    { name: 'no refresh_token', form: 'grant_type=refresh_token' },
    { name: 'an empty refresh_token', form: 'grant_type=refresh_token&refresh_token=' },
    { name: 'bytes that are not UTF-8', form: 'grant_type=password&username=johndoe&password=%ff%fe' },
    { name: 'an overlong encoding', form: 'grant_type=password&username=johndoe&password=%c0%80' },
    { name: 'a lone surrogate', form: 'grant_type=password&username=johndoe&password=%ed%a0%80' },
    { name: 'a bad escape', form: 'grant_type=password&username=johndoe&password=%zz' },
    { name: 'a lone percent sign', form: 'grant_type=password&username=johndoe&password=%' },
    { name: 'NUL after the right password', form: 'grant_type=password&username=johndoe&password=secret%00' },
    { name: 'raw text outside ASCII', form: 'grant_type=password&username=johndoe&password=é' },
    { name: 'more parameters than there can be', form: `${FORM}&${Array.from({ length: 30 }, (_, index) => `x${index}=1`).join('&')}` },
    { name: 'a parameter in the query too', form: FORM, query: '?username=root' },
    { name: 'the grant type in the query', form: CREDENTIALS, query: '?grant_type=password' }
  ]
  for (const { name, form, query = '' } of malformed) {
    t.test(name, async (t) => {
      const response = await app.inject({ method: 'POST', url: `/token${query}`, headers: FORM_HEADERS, payload: form })

      isOAuthError(t, response, 400, 'invalid_request')
      t.strictSame(hashes(), [])
      t.strictSame(await auditEvents(app, 'login'), [])
    })
  }
})

t.test('POST /token does not know the grant type', async (t) => {
  const app = await build(t)
  for (const grantType of ['foo', 'PASSWORD', 'Password', ' password', 'password ', '__proto__', 'constructor', 'toString']) {
    t.test(JSON.stringify(grantType), async (t) => {
      const response = await requestToken(app, { ...JOHN, grant_type: grantType })

      isOAuthError(t, response, 400, 'unsupported_grant_type')
    })
  }
})

t.test('POST /token takes forms only, not', async (t) => {
  const app = await build(t)
  const multipart = '--x\r\ncontent-disposition: form-data; name="grant_type"\r\n\r\npassword\r\n--x--\r\n'
  const refused = [
    { type: 'application/json', payload: JSON.stringify(JOHN) },
    { type: 'text/plain' },
    { type: 'multipart/form-data; boundary=x', payload: multipart },
    { type: 'application/octet-stream' },
    { type: '*/*' },
    { type: '' },
    { type: ' application/json' },
    { type: '\tapplication/json' },
    { type: 'application/json\t' },
    { type: 'application/json(x)' },
    { type: 'application/json@x' },
    { type: 'application/json/x' },
    { type: 'application/json<b>' },
    { type: 'application/x-www-form-urlencoded(x)' },
    { type: 'application/x-www-form-urlencoded@x' },
    { type: 'application/x-www-form-urlencoded/x' },
    { type: 'application/x-www-form-urlencoded<b>' },
    { type: 'application/x-www-form-urlencodedx' },
    { type: 'application/x-www-form-urlencoded, application/json' }
  ]
  for (const { type, payload = FORM } of refused) {
    t.test(JSON.stringify(type), async (t) => {
      const response = await app.inject({ method: 'POST', url: '/token', headers: { 'content-type': type }, payload })

      isOAuthError(t, response, 415, 'invalid_request')
    })
  }

  t.test('a body without a type', async (t) => {
    const response = await app.inject({ method: 'POST', url: '/token', payload: Buffer.from(FORM) })

    isOAuthError(t, response, 415, 'invalid_request')
  })
})

t.test('POST /token never reads a body whose type is not text', async (t) => {
  const app = await build(t)

  const answer = await sendRaw(app, `POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\0\r\nContent-Length: ${FORM.length}\r\n\r\n${FORM}`)

  t.match(answer, /^HTTP\/1\.1 400 /)
  t.notMatch(answer, 'access_token')
})

t.test('POST /token reads no more than 8 KiB', async (t) => {
  const app = await build(t)
  const tooLarge = `${FORM}&x=`.padEnd(8193, 'x')
  const bodies = [
    { name: 'with its length stated', payload: tooLarge },
    { name: 'in chunks', payload: Readable.from([Buffer.from(tooLarge)]) }
  ]
  for (const { name, payload } of bodies) {
    t.test(name, async (t) => {
      const response = await app.inject({ method: 'POST', url: '/token', headers: FORM_HEADERS, payload })

      isOAuthError(t, response, 413, 'invalid_request')
    })
  }
})

t.test('POST /token tells nobody what failed inside', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  t.intercept(app.users, 'findForLogin', { value: async () => { throw new Error('connection reset') } })

  const response = await requestToken(app)

  isOAuthError(t, response, 500, 'server_error')
  t.notMatch(response.body, 'connection reset')
  t.match(log.text(), 'connection reset')
})
