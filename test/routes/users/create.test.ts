import t from 'tap'
import { build, requestToken, stopClock } from '../../helper.ts'
import { allRights, enterAs, enterWith } from '../people.ts'
import { audited, isProblem, mails, PASSWORD } from '../users-me/requests.ts'

const BEN = { username: 'ben', email: 'ben@example.com' }

t.test('POST /users invites a user, who has no password', async (t) => {
  const app = await build(t)
  stopClock(app, Date.now())
  const ada = await enterAs(app, 'ada', 'admin')
  const now = new Date(app.clock.now()).toISOString()

  const response = await ada.send('POST', '/users', { username: 'Ben', email: 'Ben@Example.com', full_name: 'Ben B', roles: ['admin', 'user'] })

  t.equal(response.statusCode, 201)
  const { id } = response.json()
  t.strictSame(response.json(), { id, username: 'ben', email: 'Ben@example.com', email_verified: false, full_name: 'Ben B', disabled: false, roles: ['user', 'admin'], created_at: now, updated_at: now, last_login_at: null })
  t.strictSame((await ada.send('GET', `/users/${id}`)).json(), response.json())
  t.strictSame(await mails(app), [{ kind: 'invitation', userId: id }])
  t.match((await audited(app, 'user_created')).at(-1), { outcome: 'success', actorId: ada.id, userId: id, clientId: 'first-party', ip: '127.0.0.1' })
  t.equal((await app.users.findForLogin('ben'))?.passwordHash, null)
  t.equal((await requestToken(app, { grant_type: 'password', username: 'ben', password: PASSWORD })).statusCode, 400)
})

t.test('a user needs no more than a name and an address', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:write')

  const response = await send('POST', '/users', BEN)

  t.equal(response.statusCode, 201)
  t.match(response.json(), { ...BEN, full_name: null, roles: ['user'] })
  t.match((await send('POST', '/users', { username: 'ced', email: 'ced@example.com', full_name: null })).json(), { username: 'ced', full_name: null })
})

t.test('a name and an address have one owner', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:write')

  isProblem(t, await send('POST', '/users', { ...BEN, username: 'ＪＯＨＮＤＯＥ' }), 409, 'username_taken')
  isProblem(t, await send('POST', '/users', { ...BEN, email: 'JohnDoe@Example.Com' }), 409, 'email_taken')
})

const refused: Array<{ name: string, body: unknown }> = [
  ...['id', 'email_verified', 'email_verified_at', 'password', 'password_hash', 'disabled', 'disabled_at', 'demo_at', 'scopes', 'scope', 'role', 'is_admin', 'created_at', 'sub', 'constructor', '$set']
    .map((member) => ({ name: `the member ${member}`, body: `{"username":"ben","email":"ben@example.com","${member}":true}` })),
  { name: 'no address', body: { username: 'ben' } },
  { name: 'no username', body: { email: BEN.email } },
  { name: 'null for an address', body: { ...BEN, email: null } },
  { name: 'a bad address', body: { ...BEN, email: 'ben' } },
  { name: 'an address with a line break', body: { ...BEN, email: 'ben@example.com\r\nBcc: x@y.example' } },
  { name: 'the username me', body: { ...BEN, username: 'me' } },
  { name: 'the username __proto__', body: { ...BEN, username: '__proto__' } },
  { name: 'an empty username', body: { ...BEN, username: '' } },
  { name: 'a username with an @', body: { ...BEN, username: 'ben@example.com' } },
  { name: 'a number for a username', body: { ...BEN, username: 1 } },
  { name: 'a long username', body: { ...BEN, username: 'b'.repeat(65) } },
  { name: 'a very long username', body: { ...BEN, username: 'b'.repeat(10_000) } },
  { name: 'a role for roles', body: { ...BEN, roles: 'user' } },
  { name: 'null for roles', body: { ...BEN, roles: null } },
  { name: 'a role twice', body: { ...BEN, roles: ['user', 'user'] } },
  { name: 'what can not be a role', body: { ...BEN, roles: ['user admin'] } },
  { name: 'too many roles', body: { ...BEN, roles: Array.from({ length: 51 }, (_, index) => `r${index}`) } },
  { name: 'a list', body: [BEN] },
  { name: 'null', body: 'null' }
]
t.test('POST /users refuses what it does not know and what can not be a user', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:write')
  const before = await allRights(app)

  for (const { name, body } of refused) {
    t.test(name, async (t) => {
      isProblem(t, await send('POST', '/users', body as object), 400, 'validation_failed')
    })
  }
  t.test('a role that is not there', async (t) => {
    isProblem(t, await send('POST', '/users', { ...BEN, roles: ['boss'] }), 400, 'unknown_role')
  })
  t.test('the member __proto__', async (t) => {
    isProblem(t, await send('POST', '/users', '{"username":"ben","email":"ben@example.com","__proto__":{"roles":["admin"]}}'), 400, 'bad_request')
  })
  t.test('a megabyte', async (t) => {
    isProblem(t, await send('POST', '/users', { ...BEN, username: 'b'.repeat(1_048_576) }), 413, 'payload_too_large')
  })

  t.test('and nothing has changed', async (t) => {
    t.strictSame(await allRights(app), before)
  })
})

t.test('names that mean something to programs are names like others', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:write', 'users:read')

  for (const username of ['admin', 'root', 'null', 'undefined', 'constructor', 'tostring']) {
    const created = await send('POST', '/users', { username, email: `${username}@example.com` })

    t.equal(created.statusCode, 201, username)
    t.strictSame(created.json().roles, ['user'])
    t.strictSame((await send('GET', `/users?q=${username}`)).json().items.map(({ id }: { id: string }) => id), [created.json().id])
  }
})

t.test('of parallel invitations of one name one succeeds', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:write')

  const responses = await Promise.all(['ben', 'BEN', 'Ｂen', 'beN'].map(async (username, index) => await send('POST', '/users', { username, email: `${index}@example.com` })))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [201, 409, 409, 409])
  t.equal((await mails(app)).length, 1)
})
