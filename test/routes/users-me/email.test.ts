import t from 'tap'
import { build, createUser } from '../../helper.ts'
import { audited, enter, isProblem, logInAgain, mails, PASSWORD, send, sidOf, stored } from './requests.ts'

t.test('a new address does not count before it is proven, and both addresses are told', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)

  const response = await send(app, token, 'PATCH', '/users/me', { email: 'Ada.L@EXAMPLE.org', current_password: PASSWORD })

  t.equal(response.statusCode, 200)
  t.match(response.json(), { id, email: 'ada@example.com' })
  t.strictSame(await stored(app, id), before)
  t.strictSame(await mails(app), [
    { kind: 'email_change', userId: id, passwordVersion: 0, insteadOf: 'ada@example.com', email: 'Ada.L@example.org' },
    { kind: 'email_change_requested', email: 'ada@example.com', username: 'ada' }
  ])
  t.strictSame(await audited(app, 'email_change_requested'), [{ outcome: 'success', actorId: id, userId: id, sessionId: sidOf({ access_token: token }), clientId: 'first-party', ip: '127.0.0.1', details: null }])
})

t.test('without an old address only the new one is told', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app, { password: PASSWORD })
  const { access_token: token } = await logInAgain(app)

  const response = await send(app, token, 'PATCH', '/users/me', { email: 'ada@example.org', current_password: PASSWORD })

  t.match(response.json(), { email: null })
  t.strictSame(await mails(app), [{ kind: 'email_change', userId: id, passwordVersion: 0, insteadOf: null, email: 'ada@example.org' }])
})

t.test('a full name that comes with a new address counts at once', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)

  const response = await send(app, token, 'PATCH', '/users/me', { full_name: 'Ada Lovelace', email: 'ada@example.org', current_password: PASSWORD })

  t.match(response.json(), { full_name: 'Ada Lovelace', email: 'ada@example.com' })
})

t.test('a bad full name that comes with a new address prevents both', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)

  const response = await send(app, token, 'PATCH', '/users/me', { full_name: ' ', email: 'ada@example.org', current_password: PASSWORD })

  isProblem(t, response, 400, 'validation_failed')
  t.strictSame(await mails(app), [])
  t.strictSame(await audited(app, 'email_change_requested'), [])
})

t.test('nobody learns whether an address is taken', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  await createUser(app, { username: 'ben', email: 'ben@example.com' })
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const ask = async (email: string) => await send(app, token, 'PATCH', '/users/me', { email, current_password: PASSWORD })

  const free = await ask('free@example.com')
  const taken = await ask('ben@example.com')
  const takenByCase = await ask('BEN@example.com')

  t.strictSame([taken.statusCode, taken.body], [free.statusCode, free.body])
  t.equal(takenByCase.body, free.body)
  t.strictSame(Object.keys(taken.headers).toSorted(), Object.keys(free.headers).toSorted())
  t.equal(hashes().length, 3)
  t.equal((await mails(app)).length, 6)
})

t.test('a new address needs the current password', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

  const without = await send(app, token, 'PATCH', '/users/me', { full_name: 'Mallory', email: 'm@example.com' })
  isProblem(t, without, 400, 'validation_failed', /current_password/)
  t.equal(hashes().length, 0)

  const wrong = await send(app, token, 'PATCH', '/users/me', { full_name: 'Mallory', email: 'm@example.com', current_password: 'wrong' })
  isProblem(t, wrong, 403, 'wrong_password')
  t.strictSame(await mails(app), [])
  t.match((await send(app, token, 'PATCH', '/users/me', {})).json(), { full_name: null })
})

t.test('what mail can not be sent to is refused before the password is looked at', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const addresses = ['', 'ada', 'a@b', 'a@@example.com', 'a\uFF20example.com', '"a b"@example.com', 'a@[127.0.0.1]', 'a@127.0.0.1', 'a(x)@example.com', 'a@b.co\r\nBcc: x@y.zz', 'a\u0000@example.com', `${'a'.repeat(65)}@example.com`, `a@${'b.'.repeat(130)}com`, 5, null, true, ['ada@example.org'], { address: 'ada@example.org' }]
  for (const email of addresses) {
    const response = await send(app, token, 'PATCH', '/users/me', { email, current_password: PASSWORD })

    isProblem(t, response, 400, 'validation_failed')
  }
  t.equal(hashes().length, 0)
  t.strictSame(await mails(app), [])
})

t.test('an address that is too long is refused unread', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)

  const response = await send(app, token, 'PATCH', '/users/me', { email: `a@${'b'.repeat(253)}`, current_password: PASSWORD })

  isProblem(t, response, 400, 'validation_failed', 'body.email must NOT have more than 254 characters')
})

t.test('no change is asked for by a password that is not the current one any more', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const verify = app.passwordHasher.verify
  t.intercept(app.passwordHasher, 'verify', {
    value: async (...parameters: Parameters<typeof verify>) => {
      await app.db.updateTable('users').set({ password_version: 1 }).where('id', '=', id).execute()
      return await verify(...parameters)
    }
  })

  const response = await send(app, token, 'PATCH', '/users/me', { full_name: 'Mallory', email: 'm@example.com', current_password: PASSWORD })

  isProblem(t, response, 409, 'account_changed')
  t.strictSame(await mails(app), [])
  t.match(await stored(app, id), { full_name: null })
})
