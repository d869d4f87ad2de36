import t from 'tap'
import { auditEvents, build, interleave, isOAuthError, lockDatabase, logIn, readProfile, refresh } from '../helper.ts'
import { isAlive, isDead, revoke } from '../revoking.ts'

t.test('once a log-out is answered no token of the session works, whatever refreshes ran meanwhile', async (t) => {
  const app = await build(t)
  for (let round = 0; round < 100; round++) {
    const tokens = await logIn(app)

    const refreshing = async () => await refresh(app, tokens.refresh_token)
    const revoking = async () => await revoke(app, round % 2 === 0 ? tokens.refresh_token : tokens.access_token)

    const responses = await interleave(t, [app], [refreshing, revoking, refreshing])

    t.equal(responses[1]?.statusCode, 200)
    const refreshed = responses.filter(({ statusCode, body }) => statusCode === 200 && body !== '{}').map((response) => response.json())
    for (const each of [tokens, ...refreshed]) t.ok(await isDead(app, each))
  }
  t.equal((await auditEvents(app, 'logout')).length, 100)
})

t.test('of ten log-outs at a time one is audited and all are answered', async (t) => {
  const app = await build(t)
  const tokens = await logIn(app)

  const responses = await interleave(t, [app], Array(10).fill(async () => await revoke(app, tokens.refresh_token)))

  t.strictSame(responses.map(({ statusCode }) => statusCode), Array(10).fill(200))
  t.equal((await auditEvents(app, 'logout')).length, 1)
})

t.test('POST /revoke says 503 and not 200 while the database can not be written', async (t) => {
  const app = await build(t)
  const [first, second] = [await logIn(app), await logIn(app)]
  const release = lockDatabase(t, app)

  const responses = await Promise.all([revoke(app, first.refresh_token), revoke(app, second.access_token)])
  release()

  for (const response of responses) {
    isOAuthError(t, response, 503, 'temporarily_unavailable')
    t.match(response.headers['retry-after'], /^[1-9]\d*$/)
  }
  t.strictSame(await auditEvents(app, 'logout'), [])
  t.equal((await readProfile(app, first.access_token)).statusCode, 200)
  t.equal((await revoke(app, first.refresh_token)).statusCode, 200)
  t.ok(await isDead(app, first))
  t.ok(await isAlive(app, second))
})

t.test('POST /revoke does not pass off a fault of its own as a bad token', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)
  t.intercept(app.accessTokens, 'verify', { value: () => { throw new Error('out of memory') } })

  const response = await revoke(app, token)

  isOAuthError(t, response, 500, 'server_error')
  t.notMatch(response.body, 'memory')
})
