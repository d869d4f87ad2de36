import { METHODS } from 'node:http'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { buildWithRoutes } from '../collect-routes.ts'
import { build, captureLog, FORM_HEADERS } from '../helper.ts'
import { exchange, listen, request } from '../raw-http.ts'

const NOT_ALLOWED = { statusCode: 405, code: 'method_not_allowed', error: 'Method Not Allowed', message: 'This method is not supported here' }
const NOT_ALLOWED_BY_OAUTH = { error: 'invalid_request', error_description: 'This method is not supported here' }
const NOT_FOUND = { statusCode: 404, code: 'not_found', error: 'Not Found', message: 'There is nothing here' }

// It asks a proxy for a connection to elsewhere, and Node drops it.
const ANSWERED = METHODS.filter((method) => method !== 'CONNECT')

t.test('a known path', async (t) => {
  const { app, routes } = await buildWithRoutes(t)
  const methods = Map.groupBy(routes, ({ url }) => url)

  for (const [url, known] of methods) {
    const allowed = known.map(({ method }) => method)
    const expected = known.some(({ config }) => config?.oauth === true) ? NOT_ALLOWED_BY_OAUTH : NOT_ALLOWED

    t.test(`${url} answers every other method with 405 and what is allowed`, async (t) => {
      for (const method of ANSWERED.filter((name) => !allowed.includes(name))) {
        const response = await app.inject({ method: method as 'GET', url: url.replace('*', 'some/path') })

        t.equal(response.statusCode, 405, method)
        t.equal(response.headers.allow, allowed.toSorted().join(', '))
        t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' })
        if (method !== 'HEAD') t.strictSame(response.json(), expected)
      }
    })
  }
})

t.test('the documentation page and its files are known paths too', async (t) => {
  const app = await build(t)

  for (const url of ['/docs', '/docs/static/logo.svg']) {
    const response = await app.inject({ method: 'POST', url })

    t.strictSame([response.statusCode, response.headers.allow], [405, 'GET, HEAD'])
    t.strictSame(response.json(), NOT_ALLOWED)
  }
})

t.test('GET /token with credentials in the URL is 405 and repeats them nowhere', async (t) => {
  const { logger, text } = captureLog()
  const app = await build(t, {}, logger)

  const response = await app.inject('/token?username=johndoe&password=SECRET-CANARY')

  t.equal(response.statusCode, 405)
  t.equal(response.headers.allow, 'POST')
  t.notMatch(response.body, 'CANARY')
  t.notMatch(text(), 'CANARY')
})

const faultyBodies: Array<{ name: string, options: InjectOptions }> = [
  { name: 'broken JSON', options: { method: 'PUT', headers: { 'content-type': 'application/json' }, payload: '{"a' } },
  { name: 'an unknown content type', options: { method: 'PATCH', headers: { 'content-type': 'text/x-unknown' }, payload: 'a' } },
  { name: 'a form', options: { method: 'DELETE', headers: FORM_HEADERS, payload: 'a=b' } },
  { name: 'too much of it', options: { method: 'PUT', headers: { 'content-type': 'application/json' }, payload: `"${'a'.repeat(20_000)}"` } },
  { name: 'no content type', options: { method: 'QUERY' } }
]

for (const { name, options } of faultyBodies) {
  t.test(`the method and the path count before the body, which has ${name}`, async (t) => {
    const app = await build(t)

    const wrongMethod = await app.inject({ ...options, url: '/token' })
    const unknownPath = await app.inject({ ...options, url: '/nothing' })

    t.equal(wrongMethod.statusCode, 405)
    t.strictSame(wrongMethod.json(), NOT_ALLOWED_BY_OAUTH)
    t.equal(unknownPath.statusCode, 404)
    t.strictSame(unknownPath.json(), NOT_FOUND)
  })
}

t.test('a method in a field of the body or of the URL changes nothing', async (t) => {
  const app = await build(t)

  const inBody = await app.inject({ method: 'POST', url: '/token', headers: FORM_HEADERS, payload: '_method=DELETE' })
  const inUrl = await app.inject({ method: 'POST', url: '/users/me?_method=GET' })

  t.match(inBody.json(), { error: 'invalid_request', error_description: 'The parameter grant_type is missing' })
  t.equal(inUrl.statusCode, 405)
})

const unusual = ['TRACE', 'OPTIONS', 'PROPFIND', 'QUERY', 'DELETE']

t.test('unusual methods get the same over a connection', async (t) => {
  const port = await listen(await build(t))

  for (const method of unusual) {
    const [answer] = await exchange(t, port, request(`${method} /token`, 'x-secret: CANARY\r\n'))

    t.equal(answer?.status, 405, method)
    t.equal(answer?.headers.allow, 'POST')
    t.strictSame(JSON.parse(answer?.body ?? ''), NOT_ALLOWED_BY_OAUTH)
  }
})

t.test('OPTIONS for the whole server is answered like a request for its root', async (t) => {
  const port = await listen(await build(t))

  const [answer] = await exchange(t, port, request('OPTIONS *'))

  t.equal(answer?.status, 405)
  t.equal(answer?.headers.allow, 'GET, HEAD')
})
