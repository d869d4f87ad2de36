import t from 'tap'
import { build, createUser, requestToken } from '../../helper.ts'
import { isInvalidToken } from '../../tokens.ts'
import { audited, enter, EVERYWHERE, goodFor, isProblem, logInAgain, mails, PASSWORD, send, sidOf, stored } from './requests.ts'

const REMOVAL = { current_password: PASSWORD }

t.test('DELETE /users/me deletes the account with all that belongs to it', async (t) => {
  const app = await build(t)
  const { id, ...own } = await enter(app)
  const other = await logInAgain(app)
  const ofBen = await enter(app, 'ben')
  const subject = { userId: id, email: 'ada@example.com', passwordVersion: 0 }
  const link = await app.db.transaction().execute(async (tx) => await app.oneTimeTokens.issue(tx, 'password_reset', subject, 60_000))

  const response = await send(app, own.access_token, 'DELETE', '/users/me', REMOVAL)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.strictSame(await stored(app, id), { roles: [] })
  t.strictSame([...await goodFor(app, own), ...await goodFor(app, other)], [])
  isInvalidToken(t, await send(app, own.access_token, 'DELETE', '/users/me', REMOVAL))
  t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: PASSWORD })).statusCode, 400)
  t.equal(await app.db.transaction().execute(async (tx) => await app.oneTimeTokens.take(tx, 'password_reset', link)), undefined)
  t.strictSame(await goodFor(app, ofBen), EVERYWHERE)
  t.strictSame(await mails(app), [{ kind: 'account_deleted', email: 'ada@example.com', username: 'ada' }])
  t.strictSame(await audited(app, 'user_deleted'), [{ outcome: 'success', actorId: id, userId: id, sessionId: sidOf(own), clientId: 'first-party', ip: '127.0.0.1', details: null }])
})

t.test('who takes the name of a deleted user is somebody else', async (t) => {
  const app = await build(t)
  const { id, ...tokens } = await enter(app)
  await send(app, tokens.access_token, 'DELETE', '/users/me', REMOVAL)

  const again = await enter(app)

  t.not(again.id, id)
  t.strictSame(await goodFor(app, tokens), [])
})

t.test('without an address nobody is told', async (t) => {
  const app = await build(t)
  await createUser(app, { password: PASSWORD })
  const { access_token: token } = await logInAgain(app)

  const response = await send(app, token, 'DELETE', '/users/me', REMOVAL)

  t.equal(response.statusCode, 204)
  t.strictSame(await mails(app), [])
})

t.test('the last administrator stays, and nobody is told otherwise', async (t) => {
  const app = await build(t)
  const { id, ...tokens } = await enter(app, 'ada', ['admin'])
  const before = await stored(app, id)

  const response = await send(app, tokens.access_token, 'DELETE', '/users/me', REMOVAL)

  isProblem(t, response, 409, 'last_administrator')
  t.strictSame(await stored(app, id), before)
  t.strictSame(await goodFor(app, tokens), EVERYWHERE)
  t.strictSame(await mails(app), [])
  t.strictSame(await audited(app, 'user_deleted'), [])
})

t.test('of two administrators who delete themselves at once one stays', async (t) => {
  const app = await build(t)
  const administrators = [await enter(app, 'ada', ['admin']), await enter(app, 'ben', ['admin'])]

  const responses = await Promise.all(administrators.map(async ({ access_token: token }) => await send(app, token, 'DELETE', '/users/me', REMOVAL)))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [204, 409])
})

t.test('of parallel removals one tells the user', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  const bothVerified = Promise.withResolvers<void>()
  const verify = app.passwordHasher.verify
  let verified = 0
  t.intercept(app.passwordHasher, 'verify', {
    value: async (...parameters: Parameters<typeof verify>) => {
      if (++verified === 2) bothVerified.resolve()
      await bothVerified.promise
      return await verify(...parameters)
    }
  })

  const responses = await Promise.all([1, 2].map(async () => await send(app, token, 'DELETE', '/users/me', REMOVAL)))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [204, 409])
  t.match(responses.find(({ statusCode }) => statusCode === 409)?.json(), { code: 'account_changed' })
  t.equal((await mails(app)).length, 1)
})

t.test('a body that does not hold the password alone is refused', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)
  const bodies = ['null', '[]', '"x"', '1', '', '{}', { current_password: 123 }, { current_password: null }, { current_password: true }, { current_password: [PASSWORD] }, { current_password: {} }, { current_password: '' }, { ...REMOVAL, id: '0198c0de-0000-7000-8000-000000000000' }, { current_password: 'x'.repeat(1537) }]
  for (const body of bodies) {
    const response = await send(app, token, 'DELETE', '/users/me', body)

    t.equal(response.statusCode, 400, JSON.stringify(body).slice(0, 40))
  }
  t.equal((await send(app, token, 'DELETE', '/users/me')).statusCode, 400, 'no body')
  t.strictSame(await stored(app, id), before)
})
