import t from 'tap'
import { build } from '../../helper.ts'
import { allRights, enterAs } from '../people.ts'
import { goodFor, isProblem, mails } from '../users-me/requests.ts'

const WHERE = 'Use /users/me to change your own address or to delete your account'

t.test('whoever has only the access token of an administrator can not take the account over', async (t) => {
  const app = await build(t)
  const { id, send } = await enterAs(app, 'admin', 'admin')
  await enterAs(app, 'other', 'admin')
  const before = await allRights(app)

  for (const change of [{ email: 'thief@example.com' }, { email: null }, { email: 'admin@example.com' }, { email: 'thief@example.com', full_name: 'Thief' }]) {
    isProblem(t, await send('PATCH', `/users/${id}`, change), 409, 'own_account', WHERE)
  }
  isProblem(t, await send('DELETE', `/users/${id}`), 409, 'own_account', WHERE)
  isProblem(t, await send('PATCH', `/users/${id.toUpperCase()}`, { email: 'thief@example.com' }), 404, 'not_found')
  isProblem(t, await send('DELETE', `/users/${id.toUpperCase()}`), 404, 'not_found')

  t.strictSame(await allRights(app), before)
})

t.test('administrators can change what is not the address of their own account', async (t) => {
  const app = await build(t)
  const { id, send } = await enterAs(app, 'admin', 'admin')

  const response = await send('PATCH', `/users/${id}`, { full_name: 'The Admin' })

  t.equal(response.statusCode, 200)
  t.match(response.json(), { full_name: 'The Admin', email: 'admin@example.com' })
})

t.test('the address that an administrator changes is told', async (t) => {
  const app = await build(t)
  const { send } = await enterAs(app, 'admin', 'admin')
  const { id, ...tokens } = await enterAs(app, 'ada')

  await send('PATCH', `/users/${id}`, { email: 'ada@example.org' })
  await send('PATCH', `/users/${id}`, { email: 'ada@example.org', full_name: 'Ada' })
  await send('PATCH', `/users/${id}`, { email: null })

  t.strictSame(await mails(app), [
    { kind: 'email_changed', email: 'ada@example.com', username: 'ada' },
    { kind: 'email_changed', email: 'ada@example.org', username: 'ada' }
  ])
  t.strictSame(await goodFor(app, tokens), ['profile', 'verify', 'refresh'])
})
