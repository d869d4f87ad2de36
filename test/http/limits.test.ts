import t from 'tap'
import { build, isOAuthError, postForm } from '../helper.ts'
import { chunkedForm, exchange, formRequest, listen, open, request } from '../raw-http.ts'

const TOO_LARGE = '{"error":"invalid_request","error_description":"The body is too large"}'
const TIMED_OUT = '{"statusCode":408,"code":"request_timeout","error":"Request Timeout","message":"The request took too long to arrive"}'
const HEADERS_TOO_LARGE = '{"statusCode":431,"code":"headers_too_large","error":"Request Header Fields Too Large","message":"The headers are too large"}'
const START = 'POST /token HTTP/1.1\r\nhost: latchkey\r\ncontent-type: application/x-www-form-urlencoded\r\n'

const limits = [
  { path: '/token', bytes: 8192 },
  { path: '/revoke', bytes: 16_384 }
]

for (const { path, bytes } of limits) {
  const ofSize = (size: number): string => `a=${'b'.repeat(size - 2)}`
  const tooLarge = [
    { name: 'with its length', text: formRequest(path, ofSize(bytes + 1)) },
    { name: 'of which only the length came', text: formRequest(path, ofSize(bytes + 1)).slice(0, -bytes) },
    { name: 'in chunks, the end of which never comes', text: chunkedForm(path, ofSize(bytes + 1)) }
  ]

  t.test(`${path} refuses a body over ${bytes} bytes and closes the connection`, async (t) => {
    const port = await listen(await build(t))

    for (const { name, text } of tooLarge) {
      const [answer, ...more] = await exchange(t, port, text)

      t.equal(answer?.body, TOO_LARGE)
      t.match(answer, { status: 413, headers: { connection: 'close', 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' } }, name)
      t.same(more, [])
    }
  })

  t.test(`${path} reads a body of ${bytes} bytes`, async (t) => {
    const app = await build(t)

    const response = await postForm(app, path, ofSize(bytes))

    isOAuthError(t, response, 400, 'invalid_request')
    t.match(response.json().error_description, /is missing$/)
  })
}

t.test('100,000 parameters are too many to be looked at', async (t) => {
  const app = await build(t)

  isOAuthError(t, await postForm(app, '/token', 'a&'.repeat(100_000)), 413, 'invalid_request')
  isOAuthError(t, await postForm(app, '/token', Array.from({ length: 33 }, (_, index) => `a${index}=b`).join('&')), 400, 'invalid_request')
})

const largeHeaders = [
  { name: 'one header of 20 kB', text: request('GET /health/live', `x-a: ${'b'.repeat(20_000)}\r\n`) },
  { name: 'a bearer token of 20 kB', text: request('GET /users/me', `authorization: Bearer ${'b'.repeat(20_000)}\r\n`) },
  { name: 'cookies of 20 kB', text: request('GET /health/live', `cookie: ${'a=b; '.repeat(4000)}\r\n`) },
  { name: '2,000 headers', text: request('GET /health/live', 'x-a: b\r\n'.repeat(2000)) },
  { name: '2,000 of the shortest headers', text: request('GET /health/live', 'a:b\r\n'.repeat(2000)) },
  { name: 'a URL of 20 kB', text: request(`GET /${'a'.repeat(20_000)}`) }
]

t.test('headers over 16 KiB in all get 431, and the connection is closed', async (t) => {
  const port = await listen(await build(t))

  for (const { name, text } of largeHeaders) {
    const answers = await exchange(t, port, text)

    t.strictSame(answers.map(({ body }) => body), [HEADERS_TOO_LARGE])
    t.match(answers, [{ status: 431, headers: { connection: 'close', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' } }], name)
    t.equal((await exchange(t, port, request('GET /health/live')))[0]?.status, 200)
  }
})

t.test('headers must be there within 5 seconds, a whole request within 10, and both are looked after every second', async (t) => {
  const { server } = await build(t)

  t.match(server, { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 })
})

const slow = [
  { limit: 'headersTimeout', name: 'that does not begin, or whose headers do not end', body: TIMED_OUT, texts: ['', 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\nx-a'] },
  { limit: 'requestTimeout', name: 'whose JSON does not end', body: TIMED_OUT, texts: [request('PUT /password-reset', 'content-type: application/json\r\ncontent-length: 100\r\n')] },
  { limit: 'requestTimeout', name: 'whose form does not end', body: '{"error":"invalid_request","error_description":"The request took too long to arrive"}', texts: [`${START}content-length: 100\r\n\r\na=b`, `${START}transfer-encoding: chunked\r\n\r\n3\r\na=b\r\n`] }
] as const

for (const { limit, name, body: expected, texts } of slow) {
  t.test(`a request ${name} gets 408, and the connection is closed`, async (t) => {
    const app = await build(t)
    const port = await listen(app)
    // What production has, but for a shorter wait.
    app.server[limit] = 1

    const answers = await Promise.all(texts.map(async (text) => await exchange(t, port, text)))

    for (const answer of answers) {
      t.strictSame(answer.map(({ body }) => body), [expected])
      t.match(answer, [{ status: 408, headers: { connection: 'close', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' } }])
    }
  })
}

t.test('a slow request on a connection that has served one is answered once', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const connection = await open(t, port)
  connection.send('GET /health/live HTTP/1.1\r\nhost: latchkey\r\n\r\n')
  await connection.answers(1)
  app.server.headersTimeout = 1

  connection.send('GET /health/live HTTP/1.1\r\nhost')
  const answers = await connection.end()

  t.same(answers.map(({ status }) => status), [200, 408])
})

t.test('a body that does not end after its answer gets no second answer', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  app.server.requestTimeout = 1
  const connection = await open(t, port)

  connection.send('GET /health/live HTTP/1.1\r\nhost: latchkey\r\ncontent-length: 10\r\n\r\n')
  const answers = await connection.end()

  t.same(answers.map(({ status }) => status), [200])
})
