import { once } from 'node:events'
import t from 'tap'
import { build, captureLog, JOHN, logIn } from '../helper.ts'
import { exchange, formRequest, listen, open, request } from '../raw-http.ts'

const LIVE = '{"status":"live"}'
const MALFORMED = '{"statusCode":400,"code":"bad_request","error":"Bad Request","message":"The request is malformed"}'
const MALFORMED_FORM = '{"error":"invalid_request","error_description":"The request is malformed"}'
const FORM = 'content-type: application/x-www-form-urlencoded\r\n'
const START = 'POST /token HTTP/1.1\r\nhost: latchkey\r\n' + FORM

const refused = [
  { name: 'a length and chunks', text: `${START}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n` },
  { name: 'chunks and a length', text: `${START}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n` },
  { name: 'two lengths', text: `${START}content-length: 5\r\ncontent-length: 6\r\n\r\nab=cd` },
  { name: 'the same length twice', text: `${START}content-length: 5\r\ncontent-length: 5\r\n\r\nab=cd` },
  { name: 'a length that is no number', text: `${START}content-length: +5\r\n\r\nab=cd` },
  { name: 'a transfer encoding that nobody knows', text: `${START}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n` },
  { name: 'a transfer encoding after chunked', text: `${START}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n` },
  { name: 'a chunk without a size', text: `${START}transfer-encoding: chunked\r\n\r\nxy\r\nab=cd\r\n0\r\n\r\n` },
  { name: 'a folded header', text: 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\nx-a: b\r\n c\r\n\r\n' },
  { name: 'a line that ends with a bare line feed', text: 'GET /health/live HTTP/1.1\nhost: latchkey\n\n' },
  { name: 'a header that ends with a bare line feed', text: 'GET /health/live HTTP/1.1\r\nhost: latchkey\nx-a: b\r\n\r\n' },
  { name: 'a bare carriage return', text: 'GET /health/live HTTP/1.1\r\nhost: latchkey\rx-a: b\r\n\r\n' },
  { name: 'a space before the colon', text: 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\nx-a : b\r\n\r\n' },
  { name: 'a NUL in a header', text: 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\nx-a: \0\r\n\r\n' },
  { name: 'a method that nobody knows', text: 'STEAL /token HTTP/1.1\r\nhost: latchkey\r\n\r\n' },
  { name: 'the preface of HTTP/2', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'another version of HTTP', text: 'GET /health/live HTTP/3.7\r\nhost: latchkey\r\n\r\n' },
  { name: 'a TLS handshake', text: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n' }
]

t.test('a request that two readers could understand differently is refused and its connection closed', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const port = await listen(app)

  for (const { name, text } of refused) {
    t.test(name, async (t) => {
      const [answer, ...more] = await exchange(t, port, text + request('GET /health/live'))

      t.equal(answer?.status, 400)
      t.equal(answer?.body, text.startsWith(START) ? MALFORMED_FORM : MALFORMED)
      t.match(answer?.headers, { connection: 'close', 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
      t.same(more, [], 'what follows it is not read')
      t.equal((await exchange(t, port, request('GET /health/live')))[0]?.status, 200, 'others are served')
    })
  }

  t.test('is no error in the log', async (t) => {
    t.same(log.lines.filter(({ level }) => Number(level) >= 40), [])
  })
})

t.test('HTTP/1.1 without a host is refused without a body', async (t) => {
  const port = await listen(await build(t))

  const [answer] = await exchange(t, port, 'GET /health/live HTTP/1.1\r\n\r\n')

  t.match(answer, { status: 400, body: '', headers: { connection: 'close' } })
})

t.test('a request for two hosts is refused, whatever they are', async (t) => {
  const port = await listen(await build(t))
  const ask = async (start: string) => (await exchange(t, port, `${start} HTTP/1.1\r\nHost: latchkey\r\nhOST: latchkey\r\nconnection: close\r\n\r\n`))[0]

  for (const start of ['GET /health/live', 'GET /nothing', 'GET /%zz']) {
    t.match(await ask(start), { status: 400, body: /"code":"bad_request"/, headers: { 'cache-control': 'no-store' } }, start)
  }
  t.match(await ask('POST /token'), { status: 400, body: '{"error":"invalid_request","error_description":"The request names more than one host"}' })
})

t.test('requests that are sent at once are answered one by one, in their order', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const { access_token: token } = await logIn(app, JOHN)
  const plain = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nhost: latchkey\r\n${headers}\r\n`

  const answers = await exchange(t, port, plain('/health/live') + plain('/users/me', `authorization: Bearer ${token}\r\n`) + plain('/users/me') + plain('/nothing') + request('GET /health/live'))

  t.same(answers.map(({ status }) => status), [200, 200, 401, 404, 200])
  t.equal(JSON.parse(answers[1]?.body ?? '').username, 'johndoe')
})

t.test('a connection serves on after an error', async (t) => {
  const port = await listen(await build(t))
  const connection = await open(t, port)

  for (const form of ['grant_type=password', 'grant_type=other']) connection.send(formRequest('/token', form))
  connection.send('GET /%zz HTTP/1.1\r\nhost: latchkey\r\n\r\n')
  connection.send(request('GET /health/live'))
  const answers = await connection.end()

  t.same(answers.map(({ status }) => status), [400, 400, 400, 200])
  t.equal(answers.at(-1)?.body, LIVE)
})

t.test('a body that breaks after its answer gets no second answer', async (t) => {
  const port = await listen(await build(t))
  const connection = await open(t, port)
  connection.send('GET /health/live HTTP/1.1\r\nhost: latchkey\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n')
  await connection.answers(1)

  connection.send('xy\r\n')
  const answers = await connection.end()

  t.same(answers.map(({ body }) => body), [LIVE])
})

t.test('a request that breaks while another one waits ends the connection with one answer', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const verify = app.passwordHasher.verify
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const broken = once(app.server, 'clientError')
  app.passwordHasher.verify = async (...args) => {
    begin()
    await broken
    return await verify(...args)
  }
  const connection = await open(t, port)
  connection.send(formRequest('/token', new URLSearchParams(JOHN).toString()))
  await begun

  connection.send('broken\r\n\r\n')
  const answers = await connection.end()

  t.same(answers.map(({ status }) => status), [400])
})

t.test('who goes away while he sends is forgotten without a line in the log', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const port = await listen(app)
  const before = log.lines.length
  const gone = once(app.server, 'clientError')
  const connection = await open(t, port)
  connection.send('POST /token HTTP/1.1\r\nhost: latch')

  connection.reset()
  await gone

  t.equal((await exchange(t, port, request('GET /health/live')))[0]?.status, 200)
  t.same(log.lines.slice(before).filter(({ path }) => path !== '/health/live'), [])
})

const harmless = [
  { name: 'a header named __proto__', headers: '__proto__: x\r\n' },
  { name: 'a header named constructor', headers: 'constructor: x\r\n' },
  { name: 'an upgrade to HTTP/2', headers: 'upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n' },
  { name: 'an upgrade to a web socket', headers: 'upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' },
  { name: 'a version of the interface', headers: 'accept-version: 2.x\r\n' },
  { name: 'another method in a header', headers: 'x-http-method-override: DELETE\r\nx-method-override: DELETE\r\n' },
  { name: 'another URL in a header', headers: 'x-original-url: /token\r\nx-rewrite-url: /token\r\n' }
]

for (const { name, headers } of harmless) {
  t.test(`${name} changes nothing`, async (t) => {
    const port = await listen(await build(t))

    const answers = await exchange(t, port, request('GET /health/live', headers))

    t.match(answers, [{ status: 200, body: LIVE }])
    t.equal(({} as { polluted?: unknown }).polluted, undefined)
  })
}

t.test('a header that is named in Connection still counts', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const { access_token: token } = await logIn(app, JOHN)

  const [answer] = await exchange(t, port, `GET /users/me HTTP/1.1\r\nhost: latchkey\r\nconnection: close, authorization\r\nauthorization: Bearer ${token}\r\n\r\n`)

  t.equal(answer?.status, 200)
})

t.test('who waits for 100 Continue gets it and then the answer', async (t) => {
  const port = await listen(await build(t))
  const connection = await open(t, port)
  connection.send(`${START}expect: 100-continue\r\nconnection: close\r\ncontent-length: 3\r\n\r\n`)
  await connection.answers(1)

  connection.send('a=b')
  const answers = await connection.end()

  t.same(answers.map(({ status }) => status), [100, 400])
  t.same(JSON.parse(answers[1]?.body ?? ''), { error: 'invalid_request', error_description: 'The parameter grant_type is missing' })
})

t.test('whatever else somebody expects is ignored, and bounded and logged as all requests are', async (t) => {
  const log = captureLog()
  const port = await listen(await build(t, {}, log.logger))

  const answers = await exchange(t, port, request('GET /health/live', 'expect: magic\r\n'))

  t.match(answers, [{ status: 200, body: LIVE, headers: { 'x-content-type-options': 'nosniff' } }])
  t.match(log.lines.at(-1), { path: '/health/live', status: 200 })
})

t.test('a whole URL as the target is served by its path, whatever host it names', async (t) => {
  const port = await listen(await build(t))

  const answers = await exchange(t, port, request('GET http://elsewhere.example/health/live'))

  t.match(answers, [{ status: 200, body: LIVE }])
})

t.test('nobody is connected to elsewhere', async (t) => {
  const port = await listen(await build(t))

  t.same(await exchange(t, port, 'CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: latchkey\r\n\r\n'), [])
})
