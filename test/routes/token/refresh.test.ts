import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { auditEvents, build, createUser, isOAuthError, JOHN, logIn, readProfile, refresh, refreshed, stopClock } from '../../helper.ts'

const DAY = 24 * 60 * 60 * 1000
const GRACE = 10_000

t.test('a refresh gives the next tokens of the same session', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const first = await logIn(app)
  clock.advance(60_000)

  const response = await refresh(app, first.refresh_token)

  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache' })
  const { access_token: accessToken, refresh_token: refreshToken, ...rest } = response.json()
  t.strictSame(rest, { token_type: 'bearer', expires_in: 600, scope: 'profile account' })
  t.match(refreshToken, /^lkr_[\w-]{72}$/)
  t.not(refreshToken, first.refresh_token)
  const before = app.accessTokens.verify(first.access_token)
  const after = app.accessTokens.verify(accessToken)
  t.strictSame(after, { ...before, iat: before.iat + 60, exp: before.exp + 60, jti: after.jti })
  t.not(after.jti, before.jti)
  t.equal((await readProfile(app, accessToken)).statusCode, 200)
})

t.test('a refresh leaves no row in the audit log', async (t) => {
  const app = await build(t)
  const tokens = await logIn(app)
  const count = async () => (await app.db.selectFrom('audit_events').select('id').execute()).length
  const before = await count()

  await refreshed(app, tokens.refresh_token)

  t.equal(await count(), before)
})

t.test('the parent of the newest token', async (t) => {
  t.test('gets the same successor again until the grace is over', async (t) => {
    const app = await build(t)
    const clock = stopClock(app)
    const parent = await logIn(app)
    const child = await refreshed(app, parent.refresh_token)

    clock.advance(GRACE - 1)
    const early = await refreshed(app, parent.refresh_token)
    clock.advance(1)
    const late = await refreshed(app, parent.refresh_token)

    t.equal(early.refresh_token, child.refresh_token)
    t.equal(late.refresh_token, child.refresh_token)
    t.equal((await refresh(app, child.refresh_token)).statusCode, 200)
  })

  t.test('gets nothing in its grace when the session is over', async (t) => {
    const app = await build(t, { REFRESH_TOKEN_IDLE_DAYS: '2', SESSION_MAX_DAYS: '1' })
    const clock = stopClock(app)
    const parent = await logIn(app)
    clock.advance(DAY - 1)
    const child = await refreshed(app, parent.refresh_token)
    clock.advance(1)

    const responses = [await refresh(app, parent.refresh_token), await refresh(app, child.refresh_token)]

    for (const response of responses) isOAuthError(t, response, 400, 'invalid_grant')
  })

  t.test('gets the same successor after a connection that was cut', async (t) => {
    const app = await build(t)
    await app.listen({ host: '127.0.0.1', port: 0 })
    const parent = await logIn(app)
    const rotated = t.capture(app.sessions, 'rotate', app.sessions.rotate)
    const done = new Promise<void>((resolve) => {
      const { rotate } = app.sessions
      t.intercept(app.sessions, 'rotate', { value: async (...args: Parameters<typeof rotate>) => await rotate.apply(app.sessions, args).finally(resolve) })
    })
    const form = `grant_type=refresh_token&refresh_token=${parent.refresh_token}`
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`, () => { socket.destroy() })
    await done

    const retry = await refreshed(app, parent.refresh_token)

    t.equal(rotated().length, 2)
    t.equal((await refresh(app, retry.refresh_token)).statusCode, 200)
    t.equal(app.refreshTokens.read(retry.refresh_token)?.generation, 1)
  })
})

t.test('a refresh gives nothing if the user is disabled while it runs', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app)
  const tokens = await logIn(app, { ...JOHN, username: 'ada', password: 'correct horse battery' })
  const { findLive } = app.sessions
  t.intercept(app.sessions, 'findLive', {
    value: async (sessionId: string) => {
      const session = await findLive(sessionId)
      await app.accounts.update(id, { disabled: true }, {})
      return session
    }
  })

  const response = await refresh(app, tokens.refresh_token)

  isOAuthError(t, response, 400, 'invalid_grant')
  t.strictSame(await auditEvents(app, 'refresh_token_reuse'), [])
})

t.test('a log-in opens a new session whatever old one is presented with it', async (t) => {
  const app = await build(t)
  const old = await logIn(app)
  const { sid } = app.accessTokens.verify(old.access_token)

  const response = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: `sid=${sid}; session=${sid}` },
    payload: new URLSearchParams({ ...JOHN, refresh_token: old.refresh_token, sid, session_id: sid }).toString()
  })

  t.equal(response.statusCode, 200)
  t.not(app.accessTokens.verify(response.json().access_token).sid, sid)
  t.not(app.refreshTokens.read(response.json().refresh_token)?.sessionId, sid)
  t.equal(app.refreshTokens.read(response.json().refresh_token)?.generation, 0)
})
