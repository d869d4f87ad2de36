import t from 'tap'
import { build, captureLog, createUser, FORM_HEADERS, JOHN, logIn, postForm, readProfile, refresh, requestToken } from './helper.ts'
import { exchange, formRequest, listen, request } from './raw-http.ts'

const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-\d+$/

type Line = Record<string, unknown>

const ofRequests = (lines: Line[]): Line[] => lines.filter(({ msg }) => msg === 'request')

t.test('each request leaves one line: what was asked, what was answered, by whom and from where', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const { access_token: token } = await logIn(app)
  const session = await app.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()
  const before = log.lines.length

  await app.inject({ url: '/users/me?secret=CANARY', headers: { authorization: `Bearer ${token}` }, remoteAddress: '192.0.2.7' })
  await app.inject('/nothing?secret=CANARY')
  await app.inject({ method: 'POST', url: '/health/live/?a=b?c=d' })
  await app.inject('/%zz?secret=CANARY')
  const lines = log.lines.slice(before)

  t.strictSame(lines.map(({ time, pid, hostname, request_id: id, ms, ...line }) => line), [
    { level: 30, method: 'GET', path: '/users/me', status: 200, ip: '192.0.2.7', user_id: session.user_id, session_id: session.id, msg: 'request' },
    { level: 30, method: 'GET', path: '/nothing', status: 404, ip: '127.0.0.1', msg: 'request' },
    { level: 30, method: 'POST', path: '/health/live/', status: 405, ip: '127.0.0.1', msg: 'request' },
    { level: 30, method: 'GET', path: '/%zz', status: 400, ip: '127.0.0.1', msg: 'request' }
  ])
  for (const line of lines) {
    t.match(line, { request_id: REQUEST_ID, ms: Number, time: Number })
  }
  t.equal(new Set(lines.map((line) => line.request_id)).size, lines.length)
})

t.test('the path that a gateway asks about is not in the log', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)

  await app.inject('/verify/reset/CANARY')

  t.match(ofRequests(log.lines), [{ path: '/verify/*', status: 401 }])
  t.notMatch(log.text(), 'CANARY')
})

t.test('a request that is refused by its token names no user', async (t) => {
  const log = captureLog('info')
  const app = await build(t, {}, log.logger)
  const { access_token: token, refresh_token: refreshToken } = await logIn(app)
  await postForm(app, '/revoke', { token: refreshToken })

  await readProfile(app, token)

  t.match(log.lines.at(-1), { path: '/users/me', status: 401, user_id: undefined, session_id: undefined })
})

const ids = ['x'.repeat(10_000), 'forged-id', '{"a":1}', '00000000-0000-4000-8000-000000000000', '']

t.test('nobody chooses the id of his request', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)

  for (const id of ids) {
    await app.inject({ url: '/health/live', headers: { 'x-request-id': id, 'request-id': id, 'x-correlation-id': id } })
    await app.inject({ method: 'POST', url: '/token', headers: { ...FORM_HEADERS, 'x-request-id': id }, payload: new URLSearchParams({ ...JOHN, password: 'wrong' }).toString() })
  }

  const lines = ofRequests(log.lines)
  t.equal(lines.length, 2 * ids.length)
  for (const line of lines) {
    t.match(line.request_id, REQUEST_ID)
    t.notOk(ids.includes(String(line.request_id)))
  }
  const events = await app.db.selectFrom('audit_events').select('request_id').where('type', '=', 'login').orderBy('id').execute()
  t.strictSame(events.map((event) => event.request_id), lines.filter(({ path }) => path === '/token').map((line) => line.request_id), 'the audit names the request as the log does')
})

t.test('what was sent can neither end a line nor colour it', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const port = await listen(app)
  const before = log.lines.length
  const agent = 'user-agent: "}{"level":60,"msg":"forged"}\t\x9b31m\r\n'
  const evil = '\r\n{"level":60,"msg":"forged"}\u001b[31m\u2028"\\'

  await exchange(t, port, request('GET /"}%0d%0a{"level":60,"msg":"forged"}%1b[31m', agent))
  await exchange(t, port, formRequest('/token', new URLSearchParams({ grant_type: 'password', username: evil, password: evil, scope: 'profile' }).toString(), `connection: close\r\n${agent}`))
  await app.inject({ url: '/users/me', headers: { authorization: `Bearer ${evil}`, 'user-agent': evil } })

  const text = log.text()
  const lines = log.lines.slice(before)
  t.strictSame(ofRequests(lines).map(({ status }) => status), [404, 400, 401])
  t.equal(text.split('\n').length - 1, log.lines.length, 'there are as many lines as were written')
  t.strictSame([...text.replaceAll('\n', '')].filter((character) => /\p{Cc}/u.test(character)), [])
  t.notOk(lines.some(({ level, msg }) => level === 60 || msg === 'forged'))
})

t.test('no secret is in any line, whatever happens', async (t) => {
  const log = captureLog('trace')
  const app = await build(t, {}, log.logger)
  const password = 'CANARY correct horse battery'
  await createUser(app, { username: 'ada', password })
  const form = { grant_type: 'password', username: 'ada', password }
  const secrets = [password, 'CANARY', app.config.secrets[0] as string]

  const first = await logIn(app, form)
  const second = (await refresh(app, first.refresh_token)).json()
  secrets.push(first.access_token, first.refresh_token, second.access_token, second.refresh_token)
  await readProfile(app, second.access_token)
  await app.inject({ url: '/users/me?access_token=CANARY', headers: { authorization: `Bearer ${first.access_token}x`, cookie: 'session=CANARY' } })
  await app.inject({ url: '/users/me', headers: { authorization: 'Basic Q0FOQVJZ' } })
  await requestToken(app, { ...form, password: 'CANARY wrong' })
  await requestToken(app, { ...form, client_id: 'CANARY', client_secret: 'CANARY' })
  await postForm(app, '/token', form, { authorization: `Basic ${Buffer.from('first-party:CANARY').toString('base64')}` })
  await requestToken(app, { ...form, username: 'CANARY@example.com' })
  await requestToken(app, `${new URLSearchParams(form).toString()}&password=CANARY`)
  await app.inject({ method: 'POST', url: '/token', headers: { 'content-type': 'application/json' }, payload: form })
  await refresh(app, 'lkr_CANARY')
  app.sessions.rotate = async () => { throw new Error('the disk is gone') }
  await refresh(app, second.refresh_token)
  app.users.findForLogin = async () => { throw new Error('the disk is gone') }
  await requestToken(app, form)
  await postForm(app, '/revoke', { token: second.refresh_token })
  await refresh(app, second.refresh_token)
  await readProfile(app, second.access_token)

  const text = log.text()
  t.ok(ofRequests(log.lines).length >= 17)
  for (const secret of [...secrets, 'Q0FOQVJZ', Buffer.from('first-party:CANARY').toString('base64'), '$argon2id$', 'BEGIN PRIVATE KEY']) {
    t.notOk(text.includes(secret), 'is not in the log')
    t.notOk(text.includes(encodeURIComponent(secret)), 'nor is its encoded form')
  }
})
