import t from 'tap'
import { build, logIn, readProfile, stopClock } from '../../helper.ts'
import { addUser, bytesOf, INVALID_LINK, LINK_LIFETIME_MS, mailToken, reset, sendJson, verify } from '../../mailed-links.ts'
import { audited, goodFor, isProblem, mails, stored } from '../users-me/requests.ts'

t.test('a mailed link proves the address', async (t) => {
  const app = await build(t)
  const { id, login } = await addUser(app)
  const tokens = await logIn(app, login)
  const token = await mailToken(app, 'email_verification')

  const response = await verify(app, token)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.strictSame(await goodFor(app, tokens), [], 'whoever was there before had not proven it')
  const again = await logIn(app, login)
  t.match((await readProfile(app, again.access_token)).json(), { email: 'ada@example.com', email_verified: true })
  t.match(await audited(app, 'email_verified'), [{ outcome: 'success', userId: id, actorId: null, clientId: null, ip: '127.0.0.1' }])
})

t.test('a link that was used does nothing more', async (t) => {
  const app = await build(t)
  const { id } = await addUser(app)
  const token = await mailToken(app, 'email_verification', 'ada', 'ada@example.org')
  t.equal((await verify(app, token)).statusCode, 204)
  const before = [await stored(app, id), await mails(app), await audited(app, 'email_verified')]

  const again = await verify(app, token)

  t.strictSame(again.json(), INVALID_LINK)
  t.strictSame([await stored(app, id), await mails(app), await audited(app, 'email_verified')], before)
  t.strictSame(await mails(app), [{ kind: 'email_changed', email: 'ada@example.com', username: 'ada' }, { kind: 'email_confirmed', userId: id, email: 'ada@example.org' }])
})

t.test('of twenty parallel uses of a link one succeeds', async (t) => {
  const app = await build(t)
  await addUser(app)
  const token = await mailToken(app, 'email_verification', 'ada', 'ada@example.org')

  const responses = await Promise.all(Array.from({ length: 20 }, async () => await verify(app, token)))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [204, ...Array(19).fill(400)])
  t.equal((await mails(app)).length, 2)
  t.equal((await audited(app, 'email_verified')).length, 1)
})

t.test('a link that is wrong, used, too old, replaced, void or for something else has one answer', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const { id, login } = await addUser(app)
  const { refresh_token: refreshToken } = await logIn(app, login)
  const old = await mailToken(app, 'email_verification')
  clock.advance(LINK_LIFETIME_MS)
  await addUser(app, 'ben')
  const voided = await mailToken(app, 'email_verification', 'ben')
  await reset(app, await mailToken(app, 'password_reset', 'ben'))
  const replaced = await mailToken(app, 'email_verification')
  const taken = await mailToken(app, 'email_verification', 'ada', 'BEN@example.com')
  const wrongPurpose = await mailToken(app, 'password_reset')
  const before = await stored(app, id)
  const reference = await verify(app, 'A'.repeat(43))

  t.strictSame(reference.json(), INVALID_LINK)
  for (const token of [old, voided, replaced, taken, wrongPurpose, refreshToken.slice(0, 256), id, '%', '\u0000']) {
    t.strictSame(bytesOf(await verify(app, token)), bytesOf(reference))
  }
  t.strictSame(await stored(app, id), before)
  t.match(await app.users.find('ben'), { email: 'ben@example.com' })
})

t.test('of two users who prove one address at once one has it', async (t) => {
  const app = await build(t)
  await addUser(app)
  await addUser(app, 'ben')
  const tokens = [await mailToken(app, 'email_verification', 'ada', 'both@example.com'), await mailToken(app, 'email_verification', 'ben', 'both@example.com')]

  const responses = await Promise.all(tokens.map(async (token) => await verify(app, token)))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [204, 400])
  t.strictSame(responses.find(({ statusCode }) => statusCode === 400)?.json(), INVALID_LINK)
  t.equal((await app.users.list()).filter(({ email }) => email === 'both@example.com').length, 1)
})

t.test('what is no token is refused, and so is what names a user', async (t) => {
  const app = await build(t)
  const { id, email } = await addUser(app)
  const token = await mailToken(app, 'email_verification')
  const before = await stored(app, id)

  for (const body of [{}, ...['', null, [], {}, 1, true].map((text) => ({ token: text })), { token, email }, { token, user_id: id }]) {
    isProblem(t, await sendJson(app, 'PUT', '/email-verification', body), 400, 'validation_failed')
  }

  t.strictSame(await stored(app, id), before)
})
