import t from 'tap'
import { ALL_SCOPES } from '../../lib/scopes.ts'
import { build, createUser, isOAuthError, logIn, requestToken } from '../helper.ts'
import { allRights, enterAs, enterWith } from './people.ts'
import { audited, isProblem, logInAgain, PASSWORD } from './users-me/requests.ts'

const SUPPORT = { scopes: ['users:read', 'audit:read'], description: 'Helps' }

t.test('PUT /roles/{name} makes a role and changes it, GET /roles shows it, DELETE takes it away', async (t) => {
  const app = await build(t)
  const { id, send } = await enterAs(app, 'admin', 'admin')

  const made = await send('PUT', '/roles/support', SUPPORT)
  const changed = await send('PUT', '/roles/support', { scopes: ['users:read', 'users:read'] })
  const list = await send('GET', '/roles')
  const deleted = await send('DELETE', '/roles/support')
  const again = await send('DELETE', '/roles/support')

  t.strictSame([made.statusCode, made.json()], [201, { name: 'support', ...SUPPORT, built_in: false }])
  t.strictSame([changed.statusCode, changed.json()], [200, { name: 'support', scopes: ['users:read'], description: '', built_in: false }])
  t.strictSame([list.statusCode, list.json()], [200, {
    items: [
      { name: 'admin', scopes: [...ALL_SCOPES], description: 'May do everything', built_in: true },
      changed.json(),
      { name: 'user', scopes: ['profile', 'account'], description: 'What everybody may do', built_in: true }
    ]
  }])
  t.strictSame([deleted.statusCode, deleted.body], [204, ''])
  isProblem(t, again, 404, 'not_found')
  t.match(await audited(app, 'role_set'), [{ actorId: id, clientId: 'first-party' }, { actorId: id }])
  t.match(await audited(app, 'role_deleted'), [{ actorId: id, details: { role: 'support' } }])
})

t.test('the built-in roles stay as they are', async (t) => {
  const app = await build(t)
  const { send } = await enterAs(app, 'admin', 'admin')
  const before = await allRights(app)

  for (const name of ['user', 'admin']) {
    isProblem(t, await send('PUT', `/roles/${name}`, { scopes: [] }), 409, 'built_in_role')
    isProblem(t, await send('DELETE', `/roles/${name}`), 409, 'built_in_role')
  }

  t.strictSame(await allRights(app), before)
})

const names = ['Support', '1st', '-a', 'a_b', 'a.b', 'a%20b', '%00', '__proto__', 'ä', 'a%2Fb', 'a'.repeat(64)]
const bodies: object[] = [
  {}, { scopes: null }, { scopes: 'users:read' }, { scopes: [1] }, { scopes: [''] }, { scopes: ['a b'] }, { scopes: ['a"b'] }, { scopes: ['a\\b'] }, { scopes: ['ä'] }, { scopes: ['a\n'] }, { scopes: ['a\0'] },
  { scopes: ['a'.repeat(65)] }, { scopes: Array.from({ length: 51 }, (_, index) => `s${index}`) },
  { scopes: [], description: null }, { scopes: [], description: 'x'.repeat(201) }, { scopes: [], description: 'a\nb' }, { scopes: [], description: '\ud800' },
  { scopes: [], name: 'other' }, { scopes: [], built_in: true }, { scopes: [], constructor: 1 }, []
]
t.test('what can not be a role is refused', async (t) => {
  const app = await build(t)
  const { send } = await enterAs(app, 'admin', 'admin')
  const before = await allRights(app)

  for (const name of names) {
    t.test(`the name ${name.slice(0, 20)}`, async (t) => {
      isProblem(t, await send('PUT', `/roles/${name}`, SUPPORT), 400, 'validation_failed')
      isProblem(t, await send('DELETE', `/roles/${name}`), 404, 'not_found')
    })
  }
  for (const body of bodies) {
    t.test(JSON.stringify(body).slice(0, 60), async (t) => {
      isProblem(t, await send('PUT', '/roles/support', body), 400, 'validation_failed')
    })
  }
  t.test('and nothing has changed', async (t) => {
    t.strictSame(await allRights(app), before)
  })
})

t.test('roles are read and written by those who may only', async (t) => {
  const app = await build(t)
  const reader = await enterWith(app, 'reader', 'roles:read')
  const writer = await enterWith(app, 'writer', 'roles:write')

  t.equal((await reader.send('GET', '/roles')).statusCode, 200)
  isProblem(t, await reader.send('PUT', '/roles/reader', { scopes: ['roles:read'] }), 403, 'insufficient_scope')
  isProblem(t, await reader.send('DELETE', '/roles/reader'), 403, 'insufficient_scope')
  isProblem(t, await writer.send('GET', '/roles'), 403, 'insufficient_scope')
})

t.test('a scope of another service can be asked for, granted, checked at the gateway, and ends with the role', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  await createUser(app, { username: 'ben', password: PASSWORD })
  t.equal((await admin.send('PUT', '/roles/clerk', { scopes: ['orders:read', 'https://orders.example/write'] })).statusCode, 201)
  const { id } = (await app.users.find('ben')) ?? { id: '' }
  t.equal((await admin.send('PATCH', `/users/${id}`, { roles: ['clerk'] })).statusCode, 200)

  const verify = async (token: string, scope: string) => await app.inject({ url: `/verify?scope=${encodeURIComponent(scope)}`, headers: { authorization: `Bearer ${token}` } })
  const all = await logInAgain(app, 'ben')
  const narrow = await logIn(app, { grant_type: 'password', username: 'ben', password: PASSWORD, scope: 'orders:read keys:write' })

  t.equal(all.scope, 'profile account orders:read https://orders.example/write')
  t.equal(narrow.scope, 'orders:read')
  isOAuthError(t, await requestToken(app, { grant_type: 'password', username: 'johndoe', password: 'secret', scope: 'orders:read' }), 400, 'invalid_scope')
  isOAuthError(t, await requestToken(app, { grant_type: 'password', username: 'johndoe', password: 'secret', scope: 'admin' }), 400, 'invalid_scope')
  const verified = await verify(all.access_token, 'https://orders.example/write')
  t.equal(verified.statusCode, 204)
  t.equal(verified.headers['x-auth-scope'], all.scope)
  t.equal((await logInAgain(app, 'admin')).scope, [...ALL_SCOPES, 'orders:read', 'https://orders.example/write'].join(' '))

  await admin.send('PUT', '/roles/clerk', { scopes: ['orders:read'] })
  t.equal((await verify(all.access_token, 'https://orders.example/write')).statusCode, 403)
  t.equal((await verify(all.access_token, 'orders:read')).statusCode, 204)
  await admin.send('DELETE', '/roles/clerk')
  t.equal((await verify(narrow.access_token, 'orders:read')).statusCode, 403)
})

t.test('whoever has every scope that there can be can still log in and go on', async (t) => {
  const app = await build(t)
  const scopes = (role: string, count: number) => Array.from({ length: count }, (_, index) => `${role}:${index}`.padEnd(64, '-'))
  await app.roles.set({ name: 'one', scopes: scopes('one', 50), description: '' }, {})
  await app.roles.set({ name: 'two', scopes: scopes('two', 11), description: '' }, {})

  const admin = await enterAs(app, 'admin', 'admin')

  t.equal((await admin.send('GET', '/roles')).statusCode, 200)
  isProblem(t, await admin.send('PUT', '/roles/three', { scopes: scopes('three', 2) }), 409, 'too_many_scopes')
  t.equal((await requestToken(app, { grant_type: 'refresh_token', refresh_token: admin.refresh_token })).statusCode, 200)
})

t.test('the API document knows the scopes of this service only', async (t) => {
  const app = await build(t)
  await app.roles.set({ name: 'clerk', scopes: ['orders:read'], description: '' }, {})

  const document = (await app.inject('/openapi.json')).json()

  t.strictSame(Object.keys(document.components.securitySchemes.password.flows.password.scopes), ALL_SCOPES)
})
