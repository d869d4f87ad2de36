import t from 'tap'
import { build } from '../../helper.ts'
import { allRights, enterAs, enterWith, type Person } from '../people.ts'
import { isProblem } from '../users-me/requests.ts'

type Request = [method: 'PATCH' | 'PUT' | 'DELETE', url: string, body?: object]

const ways: Array<{ name: string, request: (person: Person) => Request, code?: string }> = [
  { name: 'disabling', request: ({ id }) => ['PATCH', `/users/${id}`, { disabled: true }] },
  { name: 'deleting', request: ({ id }) => ['DELETE', `/users/${id}`], code: 'own_account' },
  { name: 'taking the role from', request: ({ id }) => ['PATCH', `/users/${id}`, { roles: ['user'] }] },
  { name: 'weakening the role of', request: () => ['PUT', '/roles/power', { scopes: ['users:write'] }] },
  { name: 'deleting the role of', request: () => ['DELETE', '/roles/power'] }
]

for (const { name, request, code = 'last_administrator' } of ways) {
  t.test(`${name} the last administrator is refused and changes nothing`, async (t) => {
    const app = await build(t)
    const last = await enterWith(app, 'power', 'users:write', 'roles:write')
    const before = await allRights(app)

    const response = await last.send(...request(last))

    isProblem(t, response, 409, code)
    t.strictSame(await allRights(app), before)
  })

  t.test(`${name} one who is not the last is no matter`, async (t) => {
    const app = await build(t)
    const power = await enterWith(app, 'power', 'users:write', 'roles:write')
    const admin = await enterAs(app, 'admin', 'admin')

    const { statusCode } = await admin.send(...request(power))

    t.ok(statusCode < 300, `${statusCode}`)
  })
}

t.test('who tries is in the audit log', async (t) => {
  const app = await build(t)
  const last = await enterWith(app, 'power', 'users:write', 'roles:write')

  await last.send('PATCH', `/users/${last.id}`, { disabled: true })
  await last.send('DELETE', `/users/${last.id}`)

  const events = await app.db.selectFrom('audit_events').select(['outcome', 'user_id', 'details']).where('type', '=', 'authorization_refused').execute()
  t.strictSame(events.map((event) => ({ ...event, details: JSON.parse(event.details ?? '') as unknown })), [
    { outcome: 'failure', user_id: last.id, details: { error: 'last_administrator', request: 'PATCH /users/:id' } }
  ])
})

const races: Array<{ name: string, request: (id: string) => Request }> = [
  { name: 'demote', request: (id) => ['PATCH', `/users/${id}`, { roles: [] }] },
  { name: 'delete', request: (id) => ['DELETE', `/users/${id}`] },
  { name: 'disable', request: (id) => ['PATCH', `/users/${id}`, { disabled: true }] }
]
for (const { name, request } of races) {
  t.test(`of two administrators who ${name} each other at once one succeeds`, async (t) => {
    const app = await build(t)
    const [one, two] = [await enterAs(app, 'one', 'admin'), await enterAs(app, 'two', 'admin')]

    const [first, second] = await Promise.all([one.send(...request(two.id)), two.send(...request(one.id))])

    const [done, refused] = first.statusCode < second.statusCode ? [first, second] : [second, first]
    t.ok(done.statusCode < 300)
    isProblem(t, refused, 403, 'beyond_own_scopes')
  })
}

t.test('of two administrators who step back at once one stays', async (t) => {
  const app = await build(t)
  const both = [await enterAs(app, 'one', 'admin'), await enterAs(app, 'two', 'admin')]

  const responses = await Promise.all(both.map(async ({ id, send }) => await send('PATCH', `/users/${id}`, { roles: [] })))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [200, 409])
  t.equal((await app.users.list()).filter(({ roles }) => roles.includes('admin')).length, 1)
})

t.test('of two who take the powers from each other\'s role at once one keeps them', async (t) => {
  const app = await build(t)
  const left = await enterWith(app, 'left', 'users:write', 'roles:write')
  const right = await enterWith(app, 'right', 'users:write', 'roles:write')

  const responses = await Promise.all([left.send('DELETE', '/roles/right'), right.send('PUT', '/roles/left', { scopes: [] })])

  t.equal(responses.filter(({ statusCode }) => statusCode < 300).length, 1)
  t.equal(responses.find(({ statusCode }) => statusCode >= 300)?.statusCode, 403)
})
