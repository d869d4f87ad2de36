import type { InjectOptions } from 'fastify'
import t from 'tap'
import { build, FORM_HEADERS, JOHN, lockDatabase, logIn } from '../helper.ts'
import { exchange, listen, request } from '../raw-http.ts'

const JSON_HEADERS = { 'content-type': 'application/json' }
const FORM = new URLSearchParams(JOHN).toString()
const LARGE = 'a'.repeat(20_000)

// Programs read the codes, people search for the sentences: a change here is a change of the interface.
const texts: Array<{ status: number, code: string, error: string, message: string, options: InjectOptions }> = [
  { status: 400, code: 'bad_request', error: 'Bad Request', message: 'The request is malformed', options: { url: '/%zz' } },
  { status: 400, code: 'bad_request', error: 'Bad Request', message: 'The body is not JSON', options: { method: 'PUT', url: '/password-reset', headers: JSON_HEADERS, payload: '{' } },
  { status: 400, code: 'bad_request', error: 'Bad Request', message: 'The body is empty, and its content type says JSON', options: { method: 'PUT', url: '/password-reset', headers: JSON_HEADERS } },
  { status: 400, code: 'validation_failed', error: 'Bad Request', message: 'Send the body as application/json', options: { method: 'PUT', url: '/password-reset' } },
  { status: 400, code: 'validation_failed', error: 'Bad Request', message: 'body must not have pasword', options: { method: 'PUT', url: '/password-reset', headers: JSON_HEADERS, payload: '{"token":"x","new_password":"y","pasword":"CANARY"}' } },
  { status: 400, code: 'validation_failed', error: 'Bad Request', message: "body must have required property 'token'", options: { method: 'PUT', url: '/password-reset', headers: JSON_HEADERS, payload: '{}' } },
  { status: 401, code: 'unauthorized', error: 'Unauthorized', message: 'An access token is required', options: { url: '/users/me' } },
  { status: 401, code: 'invalid_token', error: 'Unauthorized', message: 'The access token is not valid or has expired', options: { url: '/users/me', headers: { authorization: 'Bearer x' } } },
  { status: 403, code: 'insufficient_scope', error: 'Forbidden', message: 'The access token does not allow this', options: { url: '/users' } },
  { status: 404, code: 'not_found', error: 'Not Found', message: 'There is nothing here', options: { url: '/nothing' } },
  { status: 404, code: 'not_found', error: 'Not Found', message: 'There is nothing here', options: { url: '/docs/static/nothing?secret=CANARY' } },
  { status: 414, code: 'uri_too_long', error: 'URI Too Long', message: 'A part of the path is too long', options: { url: `/users/${'a'.repeat(101)}` } },
  { status: 405, code: 'method_not_allowed', error: 'Method Not Allowed', message: 'This method is not supported here', options: { method: 'DELETE', url: '/health/live' } },
  { status: 413, code: 'payload_too_large', error: 'Payload Too Large', message: 'The body is too large', options: { method: 'PUT', url: '/password-reset', headers: JSON_HEADERS, payload: `"${LARGE}"` } },
  { status: 415, code: 'unsupported_media_type', error: 'Unsupported Media Type', message: 'Send the body as application/json', options: { method: 'PUT', url: '/password-reset', headers: FORM_HEADERS, payload: FORM } },
  { status: 415, code: 'unsupported_media_type', error: 'Unsupported Media Type', message: 'Send the body as application/json', options: { method: 'PUT', url: '/password-reset', headers: { 'content-type': 'text/plain;charset=UTF-8' }, payload: '{}' } }
]

t.test('the errors of most endpoints', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  for (const { status, code, error, message, options } of texts) {
    t.test(`${status} ${code} at ${options.method ?? 'GET'} ${String(options.url).slice(0, 20)} keeps its words`, async (t) => {
      const authorization = code === 'insufficient_scope' ? { authorization: `Bearer ${token}` } : {}

      const response = await app.inject({ ...options, headers: { ...authorization, ...options.headers } })

      t.equal(response.statusCode, status)
      t.equal(response.body, JSON.stringify({ statusCode: status, code, error, message }))
    })
  }
})

const oauthTexts: Array<{ status: number, error: string, description: string, options: InjectOptions }> = [
  { status: 400, error: 'invalid_request', description: 'The parameter grant_type is missing', options: { payload: 'a=b' } },
  { status: 400, error: 'invalid_request', description: 'A parameter is repeated', options: { payload: 'a=b&a=b' } },
  { status: 400, error: 'invalid_request', description: 'The form is not correctly encoded', options: { payload: 'a=%zz' } },
  { status: 400, error: 'invalid_request', description: 'The form has more than 32 parameters', options: { payload: Array.from({ length: 33 }, (_, index) => `a${index}`).join('&') } },
  { status: 400, error: 'invalid_request', description: 'Send the client credentials either in the header or in the body', options: { headers: { authorization: 'Basic Zmlyc3QtcGFydHk6' }, payload: 'grant_type=password&client_secret=x' } },
  { status: 400, error: 'invalid_grant', description: 'Wrong username or password', options: { payload: `${FORM}x` } },
  { status: 400, error: 'invalid_scope', description: 'None of the requested scopes is allowed', options: { payload: `${FORM}&scope=nothing` } },
  { status: 400, error: 'unsupported_grant_type', description: 'The grant type is not supported', options: { payload: 'grant_type=x' } },
  { status: 401, error: 'invalid_client', description: 'Unknown client or wrong client credentials', options: { payload: 'grant_type=password&client_id=x' } },
  { status: 405, error: 'invalid_request', description: 'This method is not supported here', options: { method: 'PUT', payload: FORM } },
  { status: 413, error: 'invalid_request', description: 'The body is too large', options: { payload: LARGE } },
  { status: 415, error: 'invalid_request', description: 'Send the parameters as a form: application/x-www-form-urlencoded', options: { headers: JSON_HEADERS, payload: '{}' } }
]

t.test('the errors of the token endpoint', async (t) => {
  const app = await build(t)

  for (const { status, error, description, options } of oauthTexts) {
    t.test(`${status} ${error}: ${description}`, async (t) => {
      const response = await app.inject({ method: 'POST', url: '/token', ...options, headers: { ...FORM_HEADERS, ...options.headers } })

      t.equal(response.statusCode, status)
      t.equal(response.body, JSON.stringify({ error, error_description: description }))
    })
  }

  t.test('400 invalid_request without a body', async (t) => {
    const response = await app.inject({ method: 'POST', url: '/token' })

    t.equal(response.statusCode, 400)
    t.equal(response.body, '{"error":"invalid_request","error_description":"Send the parameters as a form: application/x-www-form-urlencoded"}')
  })

  t.test('503 temporarily_unavailable while the database is locked', async (t) => {
    const release = lockDatabase(t, app)

    const response = await app.inject({ method: 'POST', url: '/token', headers: FORM_HEADERS, payload: FORM })
    release()

    t.equal(response.statusCode, 503)
    t.equal(response.body, '{"error":"temporarily_unavailable","error_description":"The database does not answer; try again later"}')
  })
})

t.test('the errors of what never becomes a request', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const first = async (text: string): Promise<string | undefined> => (await exchange(t, port, text))[0]?.body

  t.equal(await first('broken\r\n\r\n'), '{"statusCode":400,"code":"bad_request","error":"Bad Request","message":"The request is malformed"}')
  t.equal(await first(request('GET /', `a: ${LARGE}\r\n`)), '{"statusCode":431,"code":"headers_too_large","error":"Request Header Fields Too Large","message":"The headers are too large"}')
  t.equal(await first(request(`GET /${LARGE}`)), '{"statusCode":431,"code":"headers_too_large","error":"Request Header Fields Too Large","message":"The headers are too large"}', 'for a whole URL of that length too')
  for (const path of ['/token', '/token/', '/token?a', '/revoke']) {
    t.equal(await first(request(`POST ${path}`, `a: ${LARGE}\r\n`)), '{"error":"invalid_request","error_description":"The headers are too large"}', path)
  }
  for (const start of ['POST /tokens', 'POST /signup', 'GET /token']) t.match(await first(request(start, `a: ${LARGE}\r\n`)), /"statusCode":431/, start)
  app.server.headersTimeout = 1
  t.equal(await first(''), '{"statusCode":408,"code":"request_timeout","error":"Request Timeout","message":"The request took too long to arrive"}')
})
