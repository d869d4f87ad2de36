import t from 'tap'
import { build, logIn, requestToken } from '../../helper.ts'
import { isInvalidToken } from '../../tokens.ts'
import { audited, enter, EVERYWHERE, goodFor, isProblem, logInAgain, mails, PASSWORD, send, sidOf, stored } from './requests.ts'

const NEW_PASSWORD = 'a better horse battery'
const CHANGE = { current_password: PASSWORD, new_password: NEW_PASSWORD }

t.test('PUT /users/me/password sets the password', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)

  const response = await send(app, token, 'PUT', '/users/me/password', CHANGE)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: PASSWORD })).statusCode, 400)
  await t.resolves(logInAgain(app, 'ada', NEW_PASSWORD))
  t.match((await stored(app, id)).password_hash, /^\$argon2id\$v=19\$m=8,t=1,p=\d+\$/)
  t.strictSame(await mails(app), [{ kind: 'password_changed', email: 'ada@example.com', username: 'ada' }])
  t.strictSame(await audited(app, 'user_password_changed'), [{ outcome: 'success', actorId: id, userId: id, sessionId: sidOf({ access_token: token }), clientId: 'first-party', ip: '127.0.0.1', details: { sessions: 0 } }])
})

t.test('every other session ends at once, and the own one goes on', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const others = [await logInAgain(app), await logInAgain(app)]
  const ofBen = await enter(app, 'ben')
  t.strictSame(await goodFor(app, await logInAgain(app)), EVERYWHERE)

  const response = await send(app, own.access_token, 'PUT', '/users/me/password', CHANGE)

  t.equal(response.statusCode, 204)
  for (const other of others) {
    t.strictSame(await goodFor(app, other), [])
    isInvalidToken(t, await send(app, other.access_token, 'GET', '/users/me/sessions'))
  }
  t.strictSame(await goodFor(app, own), EVERYWHERE)
  t.strictSame(await goodFor(app, ofBen), EVERYWHERE)
  t.match(await audited(app, 'user_password_changed'), [{ details: { sessions: 3 } }])
})

t.test('mailed links are void after it', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const subject = { userId: id, email: 'ada@example.com', passwordVersion: 0 }
  const link = await app.db.transaction().execute(async (tx) => await app.oneTimeTokens.issue(tx, 'password_reset', subject, 60_000))

  await send(app, token, 'PUT', '/users/me/password', CHANGE)

  t.equal(await app.db.transaction().execute(async (tx) => await app.oneTimeTokens.take(tx, 'password_reset', link)), undefined)
})

t.test('of parallel changes one wins', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const others = await Promise.all(Array.from({ length: 4 }, async () => await logInAgain(app)))
  const sessions = [own, ...others]
  const allWait = Promise.withResolvers<void>()
  const hash = app.passwordHasher.hash
  let waiting = 0
  t.intercept(app.passwordHasher, 'hash', {
    value: async (password: string) => {
      if (++waiting === sessions.length) allWait.resolve()
      await allWait.promise
      return await hash(password)
    }
  })
  const passwordOf = (index: number): string => `${NEW_PASSWORD} number ${index}`

  const responses = await Promise.all(sessions.map(async ({ access_token: token }, index) =>
    await send(app, token, 'PUT', '/users/me/password', { ...CHANGE, new_password: passwordOf(index) })))

  const winner = responses.findIndex(({ statusCode }) => statusCode === 204)
  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [204, 409, 409, 409, 409])
  for (const response of responses.filter((_, index) => index !== winner)) isProblem(t, response, 409, 'account_changed')
  for (const [index, tokens] of sessions.entries()) {
    const { statusCode } = await requestToken(app, { grant_type: 'password', username: 'ada', password: passwordOf(index) })
    t.equal(statusCode, index === winner ? 200 : 400)
    t.strictSame(await goodFor(app, tokens), index === winner ? EVERYWHERE : [])
  }
  t.equal((await mails(app)).length, 1)
})

t.test('both passwords are text', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)
  for (const value of [123, null, true, ['a good long password'], {}, { $ne: '' }, '']) {
    for (const name of ['current_password', 'new_password']) {
      const response = await send(app, token, 'PUT', '/users/me/password', { ...CHANGE, [name]: value })

      t.equal(response.statusCode, 400, `${name}: ${JSON.stringify(value)}`)
    }
  }
  t.strictSame(await stored(app, id), before)
})

t.test('a body that is no change of a password is refused', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)
  const bodies = [
    'null', '[]', '"x"', '1', '', '{}', { current_password: PASSWORD }, { new_password: NEW_PASSWORD },
    { ...CHANGE, id: '0198c0de-0000-7000-8000-000000000000' }, { ...CHANGE, userId: 'x' }, { ...CHANGE, username: 'ben' }, { ...CHANGE, roles: ['admin'] },
    { ...CHANGE, current_password: 'x'.repeat(1537) }, { ...CHANGE, new_password: 'x'.repeat(1537) }
  ]
  for (const body of bodies) {
    const response = await send(app, token, 'PUT', '/users/me/password', body)

    t.equal(response.statusCode, 400, JSON.stringify(body).slice(0, 40))
  }
  t.strictSame(await stored(app, id), before)
})

t.test('a database that fails while the password is set leaves all as it was', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const other = await logInAgain(app)
  t.intercept(app.outbox, 'add', { value: async () => { throw new Error('disk full') } })

  const response = await send(app, own.access_token, 'PUT', '/users/me/password', CHANGE)

  isProblem(t, response, 500, 'internal_error')
  t.notMatch(response.body, 'disk full')
  t.strictSame(await goodFor(app, other), EVERYWHERE)
  await t.resolves(logInAgain(app))
  t.strictSame(await audited(app, 'user_password_changed'), [])
})

t.test('the demo user is none any more', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  const response = await send(app, token, 'PUT', '/users/me/password', { current_password: 'secret', new_password: NEW_PASSWORD })

  t.equal(response.statusCode, 204)
  t.equal(await app.users.findDemo(), undefined)
})
