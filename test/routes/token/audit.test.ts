import t from 'tap'
import { auditEvents, build, captureLog, createUser, FORM_HEADERS, logIn, postForm, refresh, requestToken, stopClock } from '../../helper.ts'

const NOW = Date.UTC(2030, 0, 2, 3, 4, 5)
const HEADERS = { 'user-agent': 'Lynx/2.9', 'x-forwarded-for': '198.51.100.7', 'x-real-ip': '198.51.100.7', 'x-request-id': 'chosen-by-the-caller' }
const LOGIN = { grant_type: 'password', username: 'ada', password: 'correct horse battery' }
const REQUEST = { at: NOW, actor_id: null, client_id: 'first-party', ip: '127.0.0.1', user_agent: 'Lynx/2.9', details: null }

/** The service with one user, a stopped clock, and the id of its newest request as the log has it. */
async function prepare (t: Parameters<typeof build>[0]) {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  stopClock(app, NOW)
  const { id } = await createUser(app)
  return { app, userId: id, requestId: () => log.lines.findLast(({ path }) => path !== undefined)?.request_id as string }
}

t.test('a log-in is audited with who, from where and by which request', async (t) => {
  const { app, userId, requestId } = await prepare(t)

  const response = await postForm(app, '/token', LOGIN, HEADERS)

  const { sid } = app.accessTokens.verify(response.json().access_token)
  const [event, ...more] = await auditEvents(app, 'login')
  t.same(event, { ...REQUEST, id: event?.id, type: 'login', outcome: 'success', user_id: userId, session_id: sid, request_id: requestId() })
  t.strictSame(more, [])
  t.not(requestId(), HEADERS['x-request-id'])
  const session = await app.db.selectFrom('sessions').select(['user_id', 'client_id', 'ip', 'user_agent']).where('id', '=', sid).executeTakeFirst()
  t.same(session, { user_id: userId, client_id: 'first-party', ip: '127.0.0.1', user_agent: 'Lynx/2.9' })
})

t.test('a failed log-in of a user is audited with his id', async (t) => {
  const { app, userId, requestId } = await prepare(t)

  await postForm(app, '/token', { ...LOGIN, password: 'wrong horse' }, HEADERS)

  const [event, ...more] = await auditEvents(app, 'login')
  t.same(event, { ...REQUEST, id: event?.id, type: 'login', outcome: 'failure', user_id: userId, session_id: null, request_id: requestId(), details: '{"error":"invalid_grant"}' })
  t.strictSame(more, [])
})

t.test('a failed log-in of an unknown user is audited without the name, which may be a password', async (t) => {
  const { app, requestId } = await prepare(t)

  await postForm(app, '/token', { ...LOGIN, username: 'hunter2' }, HEADERS)

  const [event, ...more] = await auditEvents(app, 'login')
  t.same(event, { ...REQUEST, id: event?.id, type: 'login', outcome: 'failure', user_id: null, session_id: null, request_id: requestId(), details: '{"error":"invalid_grant"}' })
  t.strictSame(more, [])
  t.notMatch(JSON.stringify(event), /hunter2|horse/)
})

t.test('the right password with a scope that is not allowed is audited, so that nobody tries passwords unseen', async (t) => {
  const { app, userId, requestId } = await prepare(t)

  const response = await postForm(app, '/token', { ...LOGIN, scope: 'users:write' }, HEADERS)

  t.equal(response.json().error, 'invalid_scope')
  const [event, ...more] = await auditEvents(app, 'login')
  t.same(event, { ...REQUEST, id: event?.id, type: 'login', outcome: 'failure', user_id: userId, session_id: null, request_id: requestId(), details: '{"error":"invalid_scope"}' })
  t.strictSame(more, [])
})

t.test('the use of an old refresh token is audited with the session that it ends', async (t) => {
  const { app, userId, requestId } = await prepare(t)
  const tokens = await logIn(app, LOGIN)
  const second = await refresh(app, tokens.refresh_token)
  await refresh(app, second.json().refresh_token)

  await postForm(app, '/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, HEADERS)

  const { sid } = app.accessTokens.verify(tokens.access_token)
  const [event, ...more] = await auditEvents(app, 'refresh_token_reuse')
  t.same(event, { ...REQUEST, id: event?.id, type: 'refresh_token_reuse', outcome: 'failure', user_id: userId, session_id: sid, request_id: requestId() })
  t.strictSame(more, [])
})

t.test('a log-out is audited, once', async (t) => {
  const { app, userId, requestId } = await prepare(t)
  const tokens = await logIn(app, LOGIN)

  await postForm(app, '/revoke', { token: tokens.refresh_token }, HEADERS)
  const firstId = requestId()
  await postForm(app, '/revoke', { token: tokens.refresh_token }, HEADERS)
  await postForm(app, '/revoke', { token: tokens.access_token }, HEADERS)

  const { sid } = app.accessTokens.verify(tokens.access_token)
  const [event, ...more] = await auditEvents(app, 'logout')
  t.same(event, { ...REQUEST, id: event?.id, type: 'logout', outcome: 'success', user_id: userId, session_id: sid, request_id: firstId })
  t.strictSame(more, [])
})

t.test('the address of the client is believed from a trusted proxy only', async (t) => {
  const app = await build(t, { TRUST_PROXY: '127.0.0.0/8' })

  await postForm(app, '/token', { ...LOGIN, username: 'johndoe' }, HEADERS)
  await app.inject({ method: 'POST', url: '/token', remoteAddress: '203.0.113.9', headers: { ...FORM_HEADERS, ...HEADERS }, payload: new URLSearchParams(LOGIN).toString() })

  t.match(await auditEvents(app, 'login'), [{ ip: '198.51.100.7' }, { ip: '203.0.113.9' }])
})

t.test('no more of a user agent is kept than 256 characters, and none is needed', async (t) => {
  const app = await build(t)

  await postForm(app, '/token', { ...LOGIN, username: 'johndoe' }, { 'user-agent': 'x'.repeat(2000) })
  await postForm(app, '/token', { ...LOGIN, username: 'johndoe' }, { 'user-agent': '' })

  const events = await auditEvents(app, 'login')
  t.strictSame(events.map(({ user_agent: userAgent }) => userAgent), ['x'.repeat(256), ''])
})

t.test('a log-in that can not be audited does not happen, whether its network is known or not', async (t) => {
  const { app } = await prepare(t)
  const { valuesOf } = app.audit
  const sessionsAfterFault = async (): Promise<number> => {
    const fault = t.intercept(app.audit, 'valuesOf', { value: (...event: Parameters<typeof valuesOf>) => ({ ...valuesOf(...event), event_type: null }) })
    t.equal((await requestToken(app, LOGIN)).statusCode, 500)
    fault.restore()
    return (await app.db.selectFrom('sessions').select('id').execute()).length
  }

  t.equal(await sessionsAfterFault(), 0)
  t.equal((await requestToken(app, LOGIN)).statusCode, 200)
  t.equal(await sessionsAfterFault(), 1)
})
