import t from 'tap'
import type { PasswordOwner } from '../../../lib/password-policy.ts'
import { auditEvents, build, createUser, isOAuthError, logIn, refresh, requestToken, stopClock } from '../../helper.ts'
import { addUser, bytesOf, INVALID_LINK, LINK_LIFETIME_MS, mailToken, NEW_PASSWORD, requestReset, reset, sendJson, verify } from '../../mailed-links.ts'
import { goodFor, isProblem, mails, stored } from '../users-me/requests.ts'

t.test('a reset sets the password and ends every session', async (t) => {
  const app = await build(t)
  const { id, login } = await addUser(app)
  const sessions = [await logIn(app, login), await logIn(app, login)]
  const token = await mailToken(app, 'password_reset')

  const response = await reset(app, token)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.equal(response.headers['cache-control'], 'no-store')
  t.strictSame(await Promise.all(sessions.map(async (tokens) => await goodFor(app, tokens))), [[], []])
  isOAuthError(t, await requestToken(app, login), 400, 'invalid_grant')
  t.equal((await requestToken(app, { ...login, password: NEW_PASSWORD })).statusCode, 200)
  t.match(await app.users.find('ada'), { emailVerifiedAt: /\d/ })
  t.match(await auditEvents(app, 'user_password_reset'), [{ outcome: 'success', user_id: id, actor_id: null, client_id: null, ip: '127.0.0.1', request_id: /-\d+$/ }])
  t.match(await mails(app), [{ kind: 'password_changed', email: 'ada@example.com' }])
})

t.test('a link that is wrong, used, too old, replaced or for something else has one answer', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const { id, login } = await addUser(app)
  const { access_token: accessToken, refresh_token: refreshToken } = await logIn(app, login)
  const replaced = await mailToken(app, 'password_reset')
  const used = await mailToken(app, 'password_reset')
  await reset(app, used)
  const old = await mailToken(app, 'password_reset')
  clock.advance(LINK_LIFETIME_MS)
  const verification = await mailToken(app, 'email_verification')
  const before = await stored(app, id)
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)
  const reference = await reset(app, 'A'.repeat(43))

  t.strictSame(reference.json(), INVALID_LINK)
  for (const token of [replaced, used, old, verification, refreshToken.slice(0, 256), id, '%', `${used} `, used.toLowerCase(), '\u0000', "' or 1=1 --"]) {
    t.strictSame(bytesOf(await reset(app, token)), bytesOf(reference))
  }
  isProblem(t, await reset(app, accessToken), 400, 'validation_failed')
  isProblem(t, await verify(app, accessToken), 400, 'validation_failed')
  t.strictSame(hashes(), [], 'guessing costs no hash')
  t.strictSame(await stored(app, id), before)
})

t.test('what is no token is refused', async (t) => {
  const app = await build(t)
  const { id } = await addUser(app)
  await mailToken(app, 'password_reset')
  const before = await stored(app, id)

  const bodies = [
    {}, { token: 'x' }, { new_password: NEW_PASSWORD }, ...['', null, [], ['x'], {}, 1, true].map((token) => ({ token, new_password: NEW_PASSWORD })),
    ...[null, [], 1, true, {}].map((password) => ({ token: 'x', new_password: password }))
  ]
  for (const body of bodies) isProblem(t, await sendJson(app, 'PUT', '/password-reset', body), 400, 'validation_failed')
  for (const body of ['null', '[]', '"x"', '1', '']) t.equal((await sendJson(app, 'PUT', '/password-reset', body)).statusCode, 400, body)
  t.equal((await sendJson(app, 'PUT', '/password-reset?token=x', { token: 'x', new_password: NEW_PASSWORD })).json().code, 'validation_failed')

  t.strictSame(await stored(app, id), before)
})

t.test('a token is for its own user, whoever else the body names', async (t) => {
  const app = await build(t)
  await addUser(app)
  const ben = await addUser(app, 'ben')
  const before = await stored(app, ben.id)
  const token = await mailToken(app, 'password_reset')

  for (const more of [{ email: ben.email }, { user_id: ben.id }, { id: ben.id }, { username: 'ben' }]) {
    isProblem(t, await sendJson(app, 'PUT', '/password-reset', { token, new_password: NEW_PASSWORD, ...more }), 400, 'validation_failed')
  }
  t.equal((await reset(app, token)).statusCode, 204)

  t.strictSame(await stored(app, ben.id), before)
})

t.test('a weak password does not use the link up', async (t) => {
  const app = await build(t)
  const { login } = await addUser(app)
  const token = await mailToken(app, 'password_reset')
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)

  for (const password of ['short', 'passwordpassword', 'this is ada@example.com', 'latchkeylatchkey', 'x'.repeat(257), '\ud800'.repeat(20)]) {
    isProblem(t, await reset(app, token, password), 400, 'weak_password')
  }
  isProblem(t, await reset(app, token, 'x'.repeat(1025)), 400, 'validation_failed')
  t.strictSame(hashes(), [])
  t.equal((await reset(app, token)).statusCode, 204)

  t.equal(hashes().length, 1)
  t.equal((await requestToken(app, { ...login, password: NEW_PASSWORD })).statusCode, 200)
})

t.test('of twenty parallel resets with one link one succeeds, and its password is the one', async (t) => {
  const app = await build(t)
  const { login } = await addUser(app)
  const token = await mailToken(app, 'password_reset')
  const passwords = Array.from({ length: 20 }, (_, index) => `${NEW_PASSWORD} ${index}`)

  const responses = await Promise.all(passwords.map(async (password) => await reset(app, token, password)))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [204, ...Array(19).fill(400)])
  for (const response of responses.filter(({ statusCode }) => statusCode === 400)) t.strictSame(response.json(), INVALID_LINK)
  const stored = (await app.users.findForLogin(login.username))?.passwordHash ?? null
  const matches = await Promise.all(passwords.map(async (password) => await app.passwordHasher.verify(stored, password)))
  t.strictSame(matches, responses.map(({ statusCode }) => statusCode === 204))
  t.equal((await requestToken(app, { ...login, password: passwords[matches.indexOf(true)] ?? '' })).statusCode, 200)
})

t.test('a fault in the middle changes nothing, and the link is still good', async (t) => {
  const app = await build(t)
  const { id, login } = await addUser(app)
  const { refresh_token: refreshToken } = await logIn(app, login)
  const token = await mailToken(app, 'password_reset')
  const before = await stored(app, id)
  const fault = t.intercept(app.outbox, 'add', { value: async () => { throw new Error('disk full') } })

  const failed = await reset(app, token)

  t.equal(failed.statusCode, 500)
  t.notMatch(failed.body, 'disk full')
  t.strictSame(await stored(app, id), before)
  t.equal((await refresh(app, refreshToken)).statusCode, 200)
  fault.restore()
  t.equal((await reset(app, token)).statusCode, 204)
})

t.test('a hash for which there is no time does not use the link up', async (t) => {
  const app = await build(t, { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0' })
  await addUser(app)
  const token = await mailToken(app, 'password_reset')

  const { check } = app.passwordPolicy
  let other: Promise<string> | undefined
  const rush = t.intercept(app.passwordPolicy, 'check', {
    value: async (password: string, owner: PasswordOwner) => {
      const checked = await check(password, owner)
      other = app.passwordHasher.hash('somebody else comes first')
      return checked
    }
  })

  const refused = await reset(app, token)
  await other
  rush.restore()

  isProblem(t, refused, 503, 'temporarily_unavailable')
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await reset(app, token)).statusCode, 204)
})

t.test('a disabled user gets the same answers and stays disabled', async (t) => {
  const app = await build(t)
  const { id, email, login } = await addUser(app)
  const enabled = await requestReset(app, email)
  await app.accounts.update(id, { disabled: true }, {})
  const token = await mailToken(app, 'password_reset')

  t.strictSame(bytesOf(await requestReset(app, email)), bytesOf(enabled))
  t.equal((await reset(app, token)).statusCode, 204)

  t.match(await app.users.find('ada'), { disabledAt: /\d/ })
  isOAuthError(t, await requestToken(app, { ...login, password: NEW_PASSWORD }), 400, 'invalid_grant')
})

t.test('a user who had no password has one then', async (t) => {
  const app = await build(t)
  await createUser(app, { password: null, email: 'ada@example.com' })

  t.equal((await reset(app, await mailToken(app, 'password_reset'))).statusCode, 204)

  t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: NEW_PASSWORD })).statusCode, 200)
})
