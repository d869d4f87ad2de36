import t from 'tap'
import { build, createUser, isOAuthError, JOHN, logIn, readProfile, refresh, refreshed, requestToken, setPassword, stopClock } from '../../helper.ts'

const DAY = 24 * 60 * 60 * 1000

t.test('a session that nobody uses ends after the idle time', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const first = await logIn(app)
  clock.advance(14 * DAY - 1)
  const second = await refreshed(app, first.refresh_token)
  clock.advance(14 * DAY)

  const response = await refresh(app, second.refresh_token)

  isOAuthError(t, response, 400, 'invalid_grant')
})

t.test('a session that is used ends after the absolute time', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  let tokens = await logIn(app)
  for (let day = 10; day < 90; day += 10) {
    clock.advance(10 * DAY)
    tokens = await refreshed(app, tokens.refresh_token)
  }
  clock.advance(10 * DAY - 1)
  tokens = await refreshed(app, tokens.refresh_token)
  clock.advance(1)

  const response = await refresh(app, tokens.refresh_token)

  isOAuthError(t, response, 400, 'invalid_grant')
  t.equal((await readProfile(app, tokens.access_token)).statusCode, 401)
})

t.test('after a password change the tokens from before are dead and those from after live, in the same second', async (t) => {
  const app = await build(t)
  stopClock(app)
  const { id } = await createUser(app)
  const login = { ...JOHN, username: 'ada', password: 'correct horse battery' }
  const before = await logIn(app, login)
  await setPassword(app, id, await app.passwordHasher.hash('staple of another kind'))
  const after = await logIn(app, { ...login, password: 'staple of another kind' })

  isOAuthError(t, await refresh(app, before.refresh_token), 400, 'invalid_grant')
  t.equal((await readProfile(app, before.access_token)).statusCode, 401)
  t.equal((await readProfile(app, after.access_token)).statusCode, 200)
  t.equal((await refresh(app, after.refresh_token)).statusCode, 200)
})

t.test('after a log-out everywhere the tokens from before are dead and those from after live, in the same second', async (t) => {
  const app = await build(t)
  stopClock(app)
  const before = [await logIn(app), await logIn(app)]
  await app.accounts.logout((await app.users.find('johndoe'))?.id ?? '', {})
  const after = await logIn(app)

  for (const tokens of before) {
    isOAuthError(t, await refresh(app, tokens.refresh_token), 400, 'invalid_grant')
    t.equal((await readProfile(app, tokens.access_token)).statusCode, 401)
  }
  t.equal((await readProfile(app, after.access_token)).statusCode, 200)
  t.equal((await refresh(app, after.refresh_token)).statusCode, 200)
})

t.test('a disabled user gets no token by any grant, and his old ones stay dead when he is enabled', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app)
  const login = { ...JOHN, username: 'ada', password: 'correct horse battery' }
  const tokens = await logIn(app, login)
  await app.accounts.update(id, { disabled: true }, {})

  const whileDisabled = [await requestToken(app, login), await refresh(app, tokens.refresh_token)]
  const profile = await readProfile(app, tokens.access_token)
  await app.accounts.update(id, { disabled: false }, {})

  for (const response of whileDisabled) isOAuthError(t, response, 400, 'invalid_grant')
  t.equal(profile.statusCode, 401)
  isOAuthError(t, await refresh(app, tokens.refresh_token), 400, 'invalid_grant')
  t.equal((await readProfile(app, tokens.access_token)).statusCode, 401)
})
