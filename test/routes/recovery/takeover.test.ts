import t from 'tap'
import { build, isOAuthError, logIn, requestToken } from '../../helper.ts'
import { addUser, INVALID_LINK, mailToken, NEW_PASSWORD, PASSWORD, reset, sendJson, verify } from '../../mailed-links.ts'
import { goodFor, stored } from '../users-me/requests.ts'

t.test('a link for another address is void once the password was reset', async (t) => {
  const app = await build(t)
  const { id, email } = await addUser(app)
  const change = await mailToken(app, 'email_verification', 'ada', 'thief@example.com')

  t.equal((await reset(app, await mailToken(app, 'password_reset'))).statusCode, 204)

  t.strictSame((await verify(app, change)).json(), INVALID_LINK)
  t.match(await stored(app, id), { email })
})

t.test('an owner takes over what somebody else signed up with his address', async (t) => {
  const app = await build(t, { REGISTRATION: 'open' })
  const email = 'victim@example.com'
  await sendJson(app, 'POST', '/signup', { username: 'squatter', email, password: PASSWORD })
  const attacker = await logIn(app, { grant_type: 'password', username: 'squatter', password: PASSWORD })
  const change = await mailToken(app, 'email_verification', 'squatter', 'thief@example.com')

  t.equal((await sendJson(app, 'POST', '/signup', { username: 'victim', email, password: NEW_PASSWORD })).statusCode, 202)
  t.equal((await reset(app, await mailToken(app, 'password_reset', 'squatter'))).statusCode, 204)

  t.strictSame(await goodFor(app, attacker), [])
  isOAuthError(t, await requestToken(app, { grant_type: 'password', username: 'squatter', password: PASSWORD }), 400, 'invalid_grant')
  t.strictSame((await verify(app, change)).json(), INVALID_LINK)
  t.equal((await requestToken(app, { grant_type: 'password', username: email, password: NEW_PASSWORD })).statusCode, 200)
  t.match(await app.users.find(email), { username: 'squatter', emailVerifiedAt: /\d/ })
})
