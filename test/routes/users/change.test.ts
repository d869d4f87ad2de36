import t from 'tap'
import { build, createUser, readProfile } from '../../helper.ts'
import { allRights, enterAs, enterWith, UNKNOWN_ID } from '../people.ts'
import { audited, enter, EVERYWHERE, goodFor, isProblem, logInAgain, mails, stored } from '../users-me/requests.ts'

t.test('PATCH /users/{id} changes what is sent and leaves the rest', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const { id } = await createUser(app, { email: 'ada@example.com', fullName: 'Ada' })
  const before = (await admin.send('GET', `/users/${id}`)).json()
  t.strictSame((await admin.send('PATCH', `/users/${id}`, {})).json(), before)

  const changes = [
    { sent: { full_name: 'Ada L' }, changed: { full_name: 'Ada L' } },
    { sent: { full_name: null, email: 'Lovelace@example.com' }, changed: { full_name: null, email: 'Lovelace@example.com' } },
    { sent: { email: null }, changed: { email: null } },
    { sent: { roles: ['admin'] }, changed: { roles: ['user', 'admin'] } },
    { sent: { roles: [] }, changed: { roles: ['user'] } },
    { sent: { disabled: true, roles: ['user'] }, changed: { disabled: true } },
    { sent: { disabled: true }, changed: {} },
    { sent: { disabled: false }, changed: { disabled: false } }
  ]
  let expected = before
  for (const { sent, changed } of changes) {
    const response = await admin.send('PATCH', `/users/${id}`, sent)

    expected = { ...expected, ...changed, updated_at: response.json().updated_at }
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), expected)
    t.strictSame((await admin.send('GET', `/users/${id}`)).json(), expected)
  }
  t.strictSame(await audited(app, 'user_roles_changed').then((events) => events.map(({ actorId, userId, details }) => ({ actorId, userId, details }))), [
    { actorId: admin.id, userId: id, details: { before: '', after: 'admin' } },
    { actorId: admin.id, userId: id, details: { before: 'admin', after: '' } },
    { actorId: admin.id, userId: id, details: { before: '', after: '' } }
  ])
})

t.test('what is wrong with one member leaves all as they were', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const ada = await enter(app)
  const before = await allRights(app)

  isProblem(t, await admin.send('PATCH', `/users/${ada.id}`, { full_name: 'X', disabled: true, roles: ['boss'] }), 400, 'unknown_role')
  isProblem(t, await admin.send('PATCH', `/users/${ada.id}`, { full_name: 'X', disabled: true, email: 'admin@example.com' }), 409, 'email_taken')
  isProblem(t, await admin.send('PATCH', `/users/${ada.id}`, { disabled: true, email: 'nonsense' }), 400, 'validation_failed')

  t.strictSame(await allRights(app), before)
})

t.test('PATCH /users/{id} refuses every member that it does not know', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const { id } = await createUser(app)
  const before = await allRights(app)

  for (const member of ['id', 'sub', 'username', 'email_verified', 'email_verified_at', 'password', 'password_hash', 'password_version', 'disabled_at', 'demo_at', 'scopes', 'scope', 'role', 'created_at', 'last_login_at', 'user', '$set', 'constructor']) {
    isProblem(t, await admin.send('PATCH', `/users/${id}`, `{"full_name":"X","${member}":"x"}`), 400, 'validation_failed')
  }
  isProblem(t, await admin.send('PATCH', `/users/${id}`, '{"full_name":"X","__proto__":{"roles":["admin"]}}'), 400, 'bad_request')
  for (const body of [{ disabled: 'true' }, { disabled: 1 }, { disabled: null }, { roles: null }, { roles: 'admin' }, { full_name: 5 }, { full_name: '' }, { email: '' }, [{ disabled: true }]]) {
    isProblem(t, await admin.send('PATCH', `/users/${id}`, body), 400, 'validation_failed')
  }

  t.strictSame(await allRights(app), before)
})

t.test('a disabled user is out at once, and in again only by a log-in', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const ada = await enter(app)

  await admin.send('PATCH', `/users/${ada.id}`, { disabled: true })
  t.strictSame(await goodFor(app, ada), [])
  await t.rejects(logInAgain(app))
  await admin.send('PATCH', `/users/${ada.id}`, { disabled: false })

  t.strictSame(await goodFor(app, ada), [])
  t.strictSame(await goodFor(app, await logInAgain(app)), EVERYWHERE)
})

t.test('a role that is taken away is of no use in the sessions that are open', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const other = await enterAs(app, 'other', 'admin')
  t.equal((await other.send('GET', '/users')).statusCode, 200)

  await admin.send('PATCH', `/users/${other.id}`, { roles: [] })

  for (const [method, url, body] of [['GET', '/users'], ['GET', '/roles'], ['GET', '/keys'], ['GET', '/audit-events'], ['POST', '/keys'], ['PATCH', `/users/${admin.id}`, { disabled: true }]] as const) {
    isProblem(t, await other.send(method, url, body), 403, 'insufficient_scope')
  }
  t.equal((await readProfile(app, other.access_token)).statusCode, 200)
  await admin.send('PATCH', `/users/${other.id}`, { roles: ['admin'] })
  t.equal((await other.send('GET', '/users')).statusCode, 200)
})

t.test('two changes of roles at once leave the roles of one of them', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const { id } = await createUser(app)
  await app.roles.set({ name: 'one', scopes: ['users:read'], description: '' }, {})
  await app.roles.set({ name: 'two', scopes: ['users:read'], description: '' }, {})

  const responses = await Promise.all(Array.from({ length: 10 }, async (_, index) => await admin.send('PATCH', `/users/${id}`, { roles: [index % 2 === 0 ? 'one' : 'two'] })))

  t.ok(responses.every(({ statusCode }) => statusCode === 200))
  const changes = await audited(app, 'user_roles_changed')
  const steps = changes.map(({ details }) => details as { before: string, after: string })
  t.equal(steps.length, 10)
  steps.slice(1).forEach(({ before }, index) => { t.equal(before, steps[index]?.after) })
  t.strictSame((await stored(app, id)).roles, [{ user_id: id, role: steps.at(-1)?.after }])
})

t.test('DELETE /users/{id} deletes the user with all sessions', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const ada = await enter(app)

  const response = await admin.send('DELETE', `/users/${ada.id}`)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.strictSame(await goodFor(app, ada), [])
  t.strictSame(await stored(app, ada.id), { roles: [] })
  isProblem(t, await admin.send('DELETE', `/users/${ada.id}`), 404, 'not_found')
  t.match(await audited(app, 'user_deleted'), [{ outcome: 'success', actorId: admin.id, userId: ada.id }])
})

t.test('DELETE /users/{id}/sessions ends the sessions of that user', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const ada = await enter(app)
  const again = await logInAgain(app)

  const response = await admin.send('DELETE', `/users/${ada.id}/sessions`)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.strictSame([...await goodFor(app, ada), ...await goodFor(app, again)], [])
  t.strictSame(await goodFor(app, admin), EVERYWHERE)
  t.match(await audited(app, 'user_logged_out'), [{ actorId: admin.id, userId: ada.id, details: { sessions: 2 } }])
})

t.test('POST /users/{id}/password-reset mails the user a link and tells the administrator nothing', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const ada = await enter(app)
  const withoutAddress = await createUser(app, { username: 'ben' })

  const response = await admin.send('POST', `/users/${ada.id}/password-reset`)

  t.equal(response.statusCode, 202)
  t.strictSame(response.json(), {})
  t.strictSame(await mails(app), [{ kind: 'password_reset_by_admin', userId: ada.id }])
  t.match(await audited(app, 'password_reset_requested'), [{ actorId: admin.id, userId: ada.id }])
  t.strictSame(await goodFor(app, ada), EVERYWHERE)
  isProblem(t, await admin.send('POST', `/users/${withoutAddress.id}/password-reset`), 409, 'no_email')
  t.equal((await mails(app)).length, 1)
})

t.test('who is not there can not be changed, and nothing is written', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const before = await app.db.selectFrom('audit_events').select('id').execute()

  for (const id of [UNKNOWN_ID, 'x', '%00', '__proto__']) {
    for (const [method, url, body] of [['PATCH', '', { disabled: true }], ['DELETE', ''], ['DELETE', '/sessions'], ['POST', '/password-reset']] as const) {
      isProblem(t, await admin.send(method, `/users/${id}${url}`, body), 404, 'not_found')
    }
  }

  t.strictSame(await app.db.selectFrom('audit_events').select('id').execute(), before)
})

t.test('a user without the right changes nobody', async (t) => {
  const app = await build(t)
  const reader = await enterWith(app, 'reader', 'users:read')
  const ada = await enter(app)
  const before = await allRights(app)

  for (const id of [ada.id, reader.id, UNKNOWN_ID]) {
    for (const [method, url, body] of [['PATCH', '', { disabled: true }], ['DELETE', ''], ['DELETE', '/sessions'], ['POST', '/password-reset']] as const) {
      isProblem(t, await reader.send(method, `/users/${id}${url}`, body), 403, 'insufficient_scope')
    }
  }
  isProblem(t, await reader.send('POST', '/users', { username: 'eve', email: 'eve@example.com' }), 403, 'insufficient_scope')

  t.strictSame(await allRights(app), before)
})
