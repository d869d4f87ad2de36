import t from 'tap'
import { auditEvents, build, createUser, isOAuthError, logIn, refresh, requestToken } from '../../helper.ts'
import { addUser, bytesOf, mailToken, NEW_PASSWORD, reset, verify } from '../../mailed-links.ts'

const STRICT = { REQUIRE_VERIFIED_EMAIL: 'true' }

t.test('where an address must be proven', async (t) => {
  t.test('a right password is told to do so, after one hash, and opens no session', async (t) => {
    const app = await build(t, STRICT)
    const { id, login } = await addUser(app)
    const verified = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

    const response = await requestToken(app, login)

    isOAuthError(t, response, 400, 'invalid_grant')
    t.match(response.json().error_description, /verify your e-mail address/i)
    t.equal(verified().length, 1)
    t.strictSame(await app.db.selectFrom('sessions').select('id').execute(), [])
    t.match(await auditEvents(app, 'login'), [{ outcome: 'failure', user_id: id, details: '{"error":"email_not_verified"}' }])
  })

  t.test('nobody else learns of it', async (t) => {
    const app = await build(t, STRICT)
    const { login } = await addUser(app)
    const dora = await addUser(app, 'dora')
    await app.accounts.update(dora.id, { disabled: true }, {})

    const unknown = await requestToken(app, { ...login, username: 'eve' })
    const wrong = await requestToken(app, { ...login, password: 'wrong' })
    const disabled = await requestToken(app, dora.login)

    t.match(wrong.json(), { error_description: 'Wrong username or password' })
    t.strictSame(bytesOf(wrong), bytesOf(unknown))
    t.strictSame(bytesOf(disabled), bytesOf(unknown))
    t.match((await auditEvents(app, 'login')).map(({ details }) => details), Array(3).fill('{"error":"invalid_grant"}'))
  })

  for (const { name, prove } of [
    { name: 'a mailed link', prove: async (app: Awaited<ReturnType<typeof build>>) => await verify(app, await mailToken(app, 'email_verification')) },
    { name: 'a reset', prove: async (app: Awaited<ReturnType<typeof build>>) => await reset(app, await mailToken(app, 'password_reset')) }
  ]) {
    t.test(`${name} proves it`, async (t) => {
      const app = await build(t, STRICT)
      const { login } = await addUser(app)

      const response = await prove(app)

      t.equal(response.statusCode, 204)
      const statuses = await Promise.all([login.password, NEW_PASSWORD].map(async (password) => (await requestToken(app, { ...login, password })).statusCode))
      t.strictSame(statuses.toSorted(), [200, 400])
    })
  }

  t.test('who has no address can not log in either', async (t) => {
    const app = await build(t, STRICT)
    await createUser(app, { password: 'correct horse battery' })

    const response = await requestToken(app, { grant_type: 'password', username: 'ada', password: 'correct horse battery' })

    t.match(response.json(), { error: 'invalid_grant', error_description: /verify your e-mail address/i })
  })

  t.test('a proven one logs in, and a session goes on if the address is replaced', async (t) => {
    const app = await build(t, STRICT)
    const { refresh_token: refreshToken, access_token: token } = await logIn(app)
    const { sub } = app.accessTokens.verify(token)

    await app.accounts.update(sub, { email: 'other@example.com' }, {})

    t.equal((await refresh(app, refreshToken)).statusCode, 200)
    isOAuthError(t, await requestToken(app), 400, 'invalid_grant')
  })
})

t.test('where it need not be, an unproven address is no hindrance', async (t) => {
  const app = await build(t)
  const { login } = await addUser(app)

  t.equal((await requestToken(app, login)).statusCode, 200)
})
