import t from 'tap'
import { build, readProfile } from '../../helper.ts'
import { enterWith, UNKNOWN_ID } from '../people.ts'
import { isProblem } from '../users-me/requests.ts'

t.test('GET /users/{id} shows a user as his own profile does', async (t) => {
  const app = await build(t)
  const ada = await enterWith(app, 'ada', 'users:read')

  const response = await ada.send('GET', `/users/${ada.id}`)

  t.equal(response.statusCode, 200)
  t.equal(response.body, (await readProfile(app, ada.access_token)).body)
})

t.test('an id that nobody has and text that is no id are the same', async (t) => {
  const app = await build(t)
  const { id, send } = await enterWith(app, 'ada', 'users:read')
  const reference = await send('GET', `/users/${UNKNOWN_ID}`)

  isProblem(t, reference, 404, 'not_found')
  for (const text of ['x', 'ada', 'admin', 'root', 'null', 'undefined', '__proto__', 'constructor', '%00', id.toUpperCase(), `${id}%20`, "'", 'x'.repeat(100)]) {
    const response = await send('GET', `/users/${text}`)
    t.equal(response.body, reference.body, text)
  }
})

t.test('what is too long for an id is refused before it is read', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:read')

  isProblem(t, await send('GET', `/users/${'x'.repeat(101)}`), 414, 'uri_too_long')
})

t.test('/users/me stays the own profile', async (t) => {
  const app = await build(t)
  const { id, send } = await enterWith(app, 'ada', 'users:read', 'users:write')

  t.equal((await send('GET', '/users/me')).json().id, id)
  t.equal((await send('PATCH', '/users/me', { full_name: 'Ada' })).json().id, id)
  isProblem(t, await send('PATCH', '/users/me', { roles: ['admin'] }), 400, 'validation_failed')
  isProblem(t, await send('DELETE', '/users/me', {}), 400, 'validation_failed', /current_password/)
  t.equal((await send('DELETE', '/users/me/sessions')).statusCode, 204)
  isProblem(t, await send('POST', '/users/me/password-reset'), 404, 'not_found')
})

t.test('methods that are not there are named', async (t) => {
  const app = await build(t)
  const { id, send } = await enterWith(app, 'ada', 'users:read', 'users:write')

  const response = await send('PUT', `/users/${id}`, {})

  isProblem(t, response, 405, 'method_not_allowed')
  t.equal(response.headers.allow, 'DELETE, GET, HEAD, PATCH')
})
