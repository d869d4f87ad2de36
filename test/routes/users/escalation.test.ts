import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { build, logIn } from '../../helper.ts'
import { allRights, enterAs, enterWith, type Person } from '../people.ts'
import { audited, isProblem, PASSWORD, send } from '../users-me/requests.ts'

interface Scene {
  app: FastifyInstance
  /** May write users and roles, and no more. */
  manager: Person
  /** May write users only. */
  clerk: Person
  admin: Person
  /** Has a role that the manager has too. */
  colleague: Person
}

type Request = [method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, body?: object]

async function open (t: Test): Promise<Scene> {
  const app = await build(t)
  const manager = await enterWith(app, 'manager', 'users:write', 'roles:write')
  return {
    app,
    manager,
    clerk: await enterWith(app, 'clerk', 'users:write'),
    admin: await enterAs(app, 'admin', 'admin'),
    colleague: await enterAs(app, 'colleague', 'manager')
  }
}

const attempts: Array<{ name: string, who: 'manager' | 'clerk', request: (scene: Scene) => Request, lacking: string }> = [
  { name: 'giving oneself the role admin', who: 'manager', request: ({ manager }) => ['PATCH', `/users/${manager.id}`, { roles: ['manager', 'admin'] }], lacking: 'users:read roles:read audit:read keys:read keys:write' },
  { name: 'giving oneself a role with writing of users only', who: 'clerk', request: ({ clerk }) => ['PATCH', `/users/${clerk.id}`, { roles: ['clerk', 'manager'] }], lacking: 'roles:write' },
  { name: 'giving somebody else the role admin', who: 'manager', request: ({ colleague }) => ['PATCH', `/users/${colleague.id}`, { roles: ['admin'] }], lacking: 'users:read roles:read audit:read keys:read keys:write' },
  { name: 'giving it among roles that one has', who: 'clerk', request: () => ['POST', '/users', { username: 'eve', email: 'eve@example.com', roles: ['user', 'clerk', 'manager'] }], lacking: 'roles:write' },
  { name: 'inviting an administrator', who: 'clerk', request: () => ['POST', '/users', { username: 'eve', email: 'eve@example.com', roles: ['admin'] }], lacking: 'users:read roles:read roles:write audit:read keys:read keys:write' },
  { name: 'adding a scope to the own role', who: 'manager', request: () => ['PUT', '/roles/manager', { scopes: ['users:write', 'roles:write', 'keys:write'] }], lacking: 'keys:write' },
  { name: 'making a role with a scope that one lacks', who: 'manager', request: () => ['PUT', '/roles/fresh', { scopes: ['keys:write'] }], lacking: 'keys:write' },
  { name: 'making a role with a scope that nobody has', who: 'manager', request: () => ['PUT', '/roles/fresh', { scopes: ['orders:read'] }], lacking: 'orders:read' },
  { name: 'adding a scope that nobody has to the own role', who: 'manager', request: () => ['PUT', '/roles/manager', { scopes: ['users:write', 'roles:write', 'orders:read'] }], lacking: 'orders:read' },
  { name: 'changing a stronger role', who: 'manager', request: () => ['PUT', '/roles/auditor', { scopes: [] }], lacking: 'audit:read' },
  { name: 'deleting a stronger role', who: 'manager', request: () => ['DELETE', '/roles/auditor'], lacking: 'audit:read' },
  { name: 'disabling somebody stronger', who: 'manager', request: ({ admin }) => ['PATCH', `/users/${admin.id}`, { disabled: true }], lacking: 'users:read roles:read audit:read keys:read keys:write' },
  { name: 'taking roles from somebody stronger', who: 'clerk', request: ({ colleague }) => ['PATCH', `/users/${colleague.id}`, { roles: [] }], lacking: 'roles:write' },
  { name: 'changing the address of somebody stronger', who: 'clerk', request: ({ colleague }) => ['PATCH', `/users/${colleague.id}`, { email: 'eve@example.com' }], lacking: 'roles:write' },
  { name: 'changing the name of somebody stronger', who: 'clerk', request: ({ colleague }) => ['PATCH', `/users/${colleague.id}`, { full_name: 'Eve' }], lacking: 'roles:write' },
  { name: 'deleting somebody stronger', who: 'clerk', request: ({ colleague }) => ['DELETE', `/users/${colleague.id}`], lacking: 'roles:write' },
  { name: 'logging somebody stronger out', who: 'clerk', request: ({ colleague }) => ['DELETE', `/users/${colleague.id}/sessions`], lacking: 'roles:write' },
  { name: 'resetting the password of somebody stronger', who: 'clerk', request: ({ colleague }) => ['POST', `/users/${colleague.id}/password-reset`], lacking: 'roles:write' }
]

for (const { name, who, request, lacking } of attempts) {
  t.test(`${name} is refused, changes nothing and is audited`, async (t) => {
    const scene = await open(t)
    const { app } = scene
    await app.roles.set({ name: 'auditor', scopes: ['audit:read'], description: '' }, {})
    const before = await allRights(app)
    const [method, url, body] = request(scene)

    const response = await scene[who].send(method, url, body)

    isProblem(t, response, 403, 'beyond_own_scopes')
    t.equal(response.headers['www-authenticate'], undefined)
    t.strictSame(await allRights(app), before)
    const [refusal, ...others] = await audited(app, 'authorization_refused')
    t.strictSame(others, [])
    t.match(refusal, { outcome: 'failure', actorId: scene[who].id, userId: scene[who].id, details: { error: 'beyond_own_scopes', scope: lacking } })
  })
}

t.test('a token that may less than its user gives and takes no more than that, but what everybody has', async (t) => {
  const { app, clerk, colleague } = await open(t)
  const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'admin', password: PASSWORD, scope: 'users:write' })
  const { access_token: ofRoles } = await logIn(app, { grant_type: 'password', username: 'admin', password: PASSWORD, scope: 'roles:write' })
  const before = await allRights(app)
  const beyond: Request[] = [
    ['PATCH', `/users/${clerk.id}`, { roles: ['admin'] }],
    ['DELETE', `/users/${colleague.id}`],
    ['PATCH', `/users/${colleague.id}`, { email: 'eve@example.com' }],
    ['POST', '/users', { username: 'eve', email: 'eve@example.com', roles: ['manager'] }]
  ]
  for (const [method, url, body] of beyond) isProblem(t, await send(app, token, method, url, body), 403, 'beyond_own_scopes')
  t.strictSame(await allRights(app), before)

  isProblem(t, await send(app, ofRoles, 'PUT', '/roles/manager', { scopes: [] }), 403, 'beyond_own_scopes')
  isProblem(t, await send(app, ofRoles, 'DELETE', '/roles/manager'), 403, 'beyond_own_scopes')
  t.strictSame(await allRights(app), before)

  t.equal((await send(app, ofRoles, 'PUT', '/roles/biller', { scopes: ['billing:write'] })).statusCode, 201)
  isProblem(t, await send(app, token, 'POST', '/users', { username: 'eve', email: 'eve@example.com', roles: ['biller'] }), 403, 'beyond_own_scopes')
  t.equal((await send(app, ofRoles, 'DELETE', '/roles/biller')).statusCode, 204)
  t.equal((await send(app, token, 'POST', '/users', { username: 'ben', email: 'ben@example.com', roles: ['clerk'] })).statusCode, 201)
  t.equal((await send(app, token, 'PATCH', `/users/${clerk.id}`, { disabled: true })).statusCode, 200)
})

t.test('what one holds oneself can be given, taken and changed', async (t) => {
  const { app, manager, clerk, colleague } = await open(t)
  const allowed: Request[] = [
    ['PATCH', `/users/${clerk.id}`, { roles: ['clerk', 'manager'] }],
    ['PATCH', `/users/${clerk.id}`, { roles: [], email: 'new@example.com' }],
    ['PATCH', `/users/${colleague.id}`, { disabled: true }],
    ['DELETE', `/users/${colleague.id}/sessions`],
    ['PUT', '/roles/fresh', { scopes: ['users:write', 'profile'] }],
    ['PUT', '/roles/clerk', { scopes: [] }],
    ['DELETE', '/roles/clerk'],
    ['POST', '/users', { username: 'ben', email: 'ben@example.com', roles: ['fresh', 'manager'] }],
    ['DELETE', `/users/${colleague.id}`]
  ]

  for (const [method, url, body] of allowed) {
    const { statusCode } = await manager.send(method, url, body)
    t.ok(statusCode < 300, `${method} ${url}: ${statusCode}`)
  }
  t.strictSame(await audited(app, 'authorization_refused'), [])
})

t.test('a scope of another service is for administrators to define, and theirs from then on', async (t) => {
  const { app, admin, manager } = await open(t)

  t.equal((await admin.send('PUT', '/roles/orders', { scopes: ['orders:read'] })).statusCode, 201)
  isProblem(t, await manager.send('PUT', '/roles/manager', { scopes: ['users:write', 'roles:write', 'orders:read'] }), 403, 'beyond_own_scopes')
  isProblem(t, await manager.send('PATCH', `/users/${manager.id}`, { roles: ['manager', 'orders'] }), 403, 'beyond_own_scopes')
  t.equal((await admin.send('PATCH', `/users/${manager.id}`, { roles: ['manager', 'orders'] })).statusCode, 200)
  t.equal((await manager.send('PUT', '/roles/clerk', { scopes: ['users:write', 'orders:read'] })).statusCode, 200, 'who holds it can pass it on')
  t.ok((await app.roles.list()).find(({ name }) => name === 'admin')?.scopes.includes('orders:read'))
})
