import t from 'tap'
import { auditEvents, build, createUser, logIn, readProfile, requestToken } from '../helper.ts'
import { bytesOf, NEW_PASSWORD, PASSWORD, sendJson } from '../mailed-links.ts'
import { BEHIND_PROXY } from '../throttles.ts'
import { isProblem, mails } from './users-me/requests.ts'

const OPEN = { REGISTRATION: 'open' }
const ADA = { username: 'ada', email: 'ada@example.com', password: PASSWORD }

type App = Awaited<ReturnType<typeof build>>
const signUp = async (app: App, body: object | string, headers = {}) => await sendJson(app, 'POST', '/signup', body, headers)
const usersBeside = async (app: App) => (await app.users.list()).filter(({ username }) => username !== 'johndoe')

t.test('who signs up can log in and is an ordinary user with an unproven address', async (t) => {
  const app = await build(t, OPEN)

  const response = await signUp(app, { ...ADA, username: 'Ada', email: 'Ada@EXAMPLE.com', full_name: 'Ada Lovelace' })

  t.equal(response.statusCode, 202)
  t.equal(response.body, '{}')
  t.equal(response.headers['cache-control'], 'no-store')
  const tokens = await logIn(app, { grant_type: 'password', username: 'ada', password: PASSWORD })
  t.equal(tokens.scope, 'profile account')
  const profile = (await readProfile(app, tokens.access_token)).json()
  t.match(profile, { username: 'ada', email: 'Ada@example.com', email_verified: false, full_name: 'Ada Lovelace', disabled: false, roles: ['user'] })
  t.strictSame(await mails(app), [{ kind: 'email_verification', email: 'Ada@example.com' }])
  t.match(await auditEvents(app, 'user_signed_up'), [{ outcome: 'success', user_id: profile.id, actor_id: null, client_id: null, ip: '127.0.0.1', details: null }])
})

t.test('unless registration is open there is nothing here', async (t) => {
  const app = await build(t)
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

  for (const method of methods) {
    const [response, unknown] = await Promise.all(['/signup', '/nothing'].map(async (url) => await app.inject({ method, url, payload: ADA })))
    t.equal(response?.statusCode, 404, method)
    t.strictSame({ ...response?.headers, date: '' }, { ...unknown?.headers, date: '' })
    t.equal(response?.body, unknown?.body)
  }

  t.strictSame(await usersBeside(app), [])
  t.notOk('/signup' in (await app.inject('/openapi.json')).json().paths)
})

t.test('an address that has a user gets the same answer as a new one after the same work', async (t) => {
  const app = await build(t, OPEN)
  await createUser(app, { username: 'owner', email: 'owner@example.com' })
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)

  const fresh = await signUp(app, ADA)
  const taken = await signUp(app, { ...ADA, username: 'ben', email: 'OWNER@example.com' })

  t.equal(fresh.statusCode, 202)
  t.strictSame(bytesOf(taken), bytesOf(fresh))
  t.equal(hashes().length, 2)
  t.strictSame((await usersBeside(app)).map(({ username }) => username), ['ada', 'owner'])
  t.strictSame(await mails(app), [{ kind: 'email_verification', email: 'ada@example.com' }, { kind: 'address_in_use', email: 'OWNER@example.com' }])
  t.match((await auditEvents(app, 'user_signed_up'))[1], { outcome: 'failure', user_id: null, details: '{"error":"email_taken"}' })
})

t.test('a taken username is refused in every spelling, after one hash', async (t) => {
  const app = await build(t, OPEN)
  await signUp(app, ADA)
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)

  const spellings = ['ada', 'ADA', '\uFF41\uFF44\uFF41', 'a\uFF24a']
  for (const username of spellings) {
    isProblem(t, await signUp(app, { ...ADA, username, email: 'other@example.com' }), 409, 'username_taken')
    isProblem(t, await signUp(app, { ...ADA, username }), 409, 'username_taken')
  }

  t.equal(hashes().length, 2 * spellings.length)
  t.equal((await usersBeside(app)).length, 1)
  t.equal((await mails(app)).length, 1)
})

t.test('fifty parallel sign-ups with spellings of one name make one user', async (t) => {
  const app = await build(t, { ...OPEN, ...BEHIND_PROXY, HASH_QUEUE_MS: '60000' })
  const spellings = ['alice', 'Alice', 'ALICE', '\uFF41\uFF4C\uFF49\uFF43\uFF45', 'ali\u200Bce', 'alice\u202E', 'al\u00ADice', '\uFEFFalice', 'alic\uFF25', 'aLiCe']

  const responses = await Promise.all(Array.from({ length: 50 }, async (_, index) =>
    await signUp(app, { ...ADA, username: spellings[index % 10], email: `alice-${index}@example.com` }, { 'x-forwarded-for': `192.0.2.${index}` })))

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [202, ...Array(20).fill(400), ...Array(29).fill(409)])
  t.strictSame((await usersBeside(app)).map(({ username }) => username), ['alice'])
})

t.test('fifty parallel sign-ups with one address make one user and two mails, and each has the same answer', async (t) => {
  const app = await build(t, { ...OPEN, ...BEHIND_PROXY, HASH_QUEUE_MS: '60000' })

  const responses = await Promise.all(Array.from({ length: 50 }, async (_, index) =>
    await signUp(app, { ...ADA, username: `ada-${index}`, email: index % 2 === 0 ? 'ada@example.com' : 'Ada@Example.com' }, { 'x-forwarded-for': `192.0.2.${index}` })))

  for (const response of responses) t.strictSame(bytesOf(response), bytesOf(responses[0] as typeof response))
  t.equal(responses[0]?.statusCode, 202)
  t.equal((await usersBeside(app)).length, 1)
  t.strictSame((await mails(app)).map((mail) => (mail as { kind: string }).kind).toSorted(), ['address_in_use', 'email_verification'])
})

t.test('the same sign-up twice at once makes one user', async (t) => {
  const app = await build(t, OPEN)

  const responses = await Promise.all([signUp(app, ADA), signUp(app, ADA)])

  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [202, 409])
  t.equal((await usersBeside(app)).length, 1)
})

t.test('nobody gives himself more than that', async (t) => {
  const app = await build(t, OPEN)
  const more = [
    { role: 'admin' }, { roles: ['admin'] }, { scope: 'users:write' }, { scopes: ['users:write'] }, { is_admin: true }, { email_verified: true }, { emailVerified: true },
    { id: '019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b' }, { tenant: 'x' }, { disabled: false }, { password_hash: 'x' }, { created_at: '2020-01-01T00:00:00.000Z' }, { demo: true }, { user: { roles: ['admin'] } }
  ]

  for (const members of more) isProblem(t, await signUp(app, { ...ADA, ...members }), 400, 'validation_failed')
  isProblem(t, await signUp(app, '{"username":"ada","email":"ada@example.com","password":"correct horse battery","__proto__":{"roles":["admin"]}}'), 400, 'bad_request')

  t.strictSame(await usersBeside(app), [])
  t.equal((await signUp(app, { ...ADA, full_name: null })).statusCode, 202)
  t.match(await usersBeside(app), [{ fullName: null, roles: ['user'], emailVerifiedAt: null, disabledAt: null }])
})

const malformed = [
  ...[undefined, null, '', 1, true, [], {}, ' ada', 'ada ', 'a da', 'ada@example.com', 'ada\u0000', 'ada\r\n', 'me', '__proto__', '\u0430da', '<b>', 'x'.repeat(65), 'x'.repeat(10_000)].map((username) => ({ username })),
  ...[undefined, null, '', 1, true, [], {}, 'ada', 'ada\uFF20example.com', 'a@b@c.example', '"a"@example.com', 'a@[127.0.0.1]', 'a(b)@example.com', 'a@b.co\u0000', 'a@b.co\r\nBcc: x@y.example', `${'a'.repeat(250)}@b.co`].map((email) => ({ email })),
  ...[undefined, null, 123, true, ['a'], {}, 'x'.repeat(1025)].map((password) => ({ password })),
  ...['', ' ', 1, [], 'a\u0000', 'a\r\nb', '\u202Eada', 'x'.repeat(201), 'x'.repeat(1201)].map((name) => ({ full_name: name }))
]

t.test('what can not be stored is refused before any hash', async (t) => {
  const app = await build(t, OPEN)
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)

  for (const members of malformed) isProblem(t, await signUp(app, { ...ADA, ...members }), 400, 'validation_failed')
  for (const body of ['null', '[]', '"x"', '1', '', '{"username":']) t.equal((await signUp(app, body)).statusCode, 400)
  t.equal((await sendJson(app, 'POST', '/signup?username=ada', ADA)).json().code, 'validation_failed')

  t.strictSame([hashes(), await usersBeside(app), await mails(app), await auditEvents(app, 'user_signed_up')], [[], [], [], []])
})

t.test('a weak password is refused before any hash, whether or not the name and the address are free', async (t) => {
  const app = await build(t, OPEN)
  await signUp(app, { ...ADA, username: 'benjamin', email: 'postbox@example.com' })
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)
  const weak = (username: string, email: string) => ['', 'short', 'passwordpassword', 'latchkeylatchkey', `${username} is my name`, `${email} is mine`, '\ud800'.repeat(20), 'x'.repeat(300)]

  for (const username of ['benjamin', 'nobody']) {
    for (const email of ['postbox@example.com', 'letterbox@example.com']) {
      for (const password of weak(username, email)) isProblem(t, await signUp(app, { username, email, password }), 400, 'weak_password')
    }
  }

  t.strictSame(hashes(), [])
})

t.test('a sign-up for which there is no time can be tried again', async (t) => {
  const app = await build(t, { ...OPEN, HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0' })
  const { check } = app.passwordPolicy
  let other: Promise<string> | undefined
  const rush = t.intercept(app.passwordPolicy, 'check', {
    value: async (...args: Parameters<typeof check>) => {
      const checked = await check(...args)
      other = app.passwordHasher.hash('somebody else comes first')
      return checked
    }
  })

  const refused = await signUp(app, ADA)
  await other
  rush.restore()

  isProblem(t, refused, 503, 'temporarily_unavailable')
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await signUp(app, ADA)).statusCode, 202)
})

t.test('a sign-up does not change the password of the one who has the name', async (t) => {
  const app = await build(t, OPEN)
  await signUp(app, ADA)

  await signUp(app, { ...ADA, password: NEW_PASSWORD })

  t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: PASSWORD })).statusCode, 200)
})
