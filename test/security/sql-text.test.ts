import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { formatCursor } from '../../lib/cursor.ts'
import { auditEvents, build, FORM_HEADERS, isOAuthError, JOHN, logIn, passwordGrant, readProfile, requestToken, stopClock } from '../helper.ts'
import { mailToken, PASSWORD, requestReset, reset, sendJson, verify } from '../mailed-links.ts'
import { enterAs, enterWith, type Person } from '../routes/people.ts'
import { mails, send } from '../routes/users-me/requests.ts'
import { ADDRESSES, AFTER_ALL, TEXTS } from '../sql-text.ts'
import { forgetCounts } from '../throttles.ts'

interface Scene {
  app: FastifyInstance
  admin: Person
  ada: Person
}

interface Way {
  name: string
  /** Whose row it writes. */
  username: string
  write: (scene: Scene, profile: { full_name: string, email: string }) => Promise<LightMyRequestResponse>
  changesAddress: boolean
}

const ways: Way[] = [
  { name: 'PATCH /users/me', username: 'ada', changesAddress: false, write: async ({ ada }, { full_name: fullName }) => await ada.send('PATCH', '/users/me', { full_name: fullName }) },
  { name: 'PATCH /users/:id', username: 'ada', changesAddress: true, write: async ({ ada, admin }, profile) => await admin.send('PATCH', `/users/${ada.id}`, profile) },
  { name: 'POST /users', username: 'new', changesAddress: true, write: async ({ admin }, profile) => await admin.send('POST', '/users', { username: 'new', ...profile }) },
  { name: 'POST /signup', username: 'new', changesAddress: true, write: async ({ app }, profile) => await sendJson(app, 'POST', '/signup', { username: 'new', password: PASSWORD, ...profile }) }
]

async function populate (t: Test): Promise<Scene> {
  const app = await build(t, { REGISTRATION: 'open' })
  stopClock(app)
  return { app, admin: await enterAs(app, 'boss', 'admin'), ada: await enterAs(app, 'ada') }
}

async function usersBut (app: FastifyInstance, username: string) {
  return await app.db.selectFrom('users').selectAll().where('username', '!=', username).orderBy('id').execute()
}

async function profilesOf (app: FastifyInstance, username: string) {
  return await app.db.selectFrom('users').select(['full_name', 'email', 'email_key', 'email_verified_at']).where('username', '=', username).execute()
}

const stored = (email: string) => ({ email, email_key: email.toLowerCase() })

for (const { name, username, changesAddress, write } of ways) {
  t.test(`${name} stores SQL as it was sent, and changes nobody else`, async (t) => {
    const scene = await populate(t)
    const { app } = scene
    const before = await usersBut(app, username)

    for (const [index, text] of TEXTS.entries()) {
      const email = ADDRESSES[index % ADDRESSES.length] as string
      await forgetCounts(app)
      await app.db.deleteFrom('users').where('username', '=', 'new').execute()

      const { statusCode } = await write(scene, { full_name: text, email })

      t.match(String(statusCode), /^20[0-4]$/, text)
      t.strictSame(await profilesOf(app, username), [{ full_name: text, ...stored(changesAddress ? email : 'ada@example.com'), email_verified_at: null }])
      t.strictSame(await usersBut(app, username), before)
    }
  })
}

t.test('an address that is SQL can be changed to and proven, and its owner and nobody else logs in with it', async (t) => {
  const { app, ada } = await populate(t)
  const before = await usersBut(app, 'ada')
  let { access_token: token } = ada

  for (const email of ADDRESSES) {
    await forgetCounts(app)
    await app.db.deleteFrom('outbox').execute()

    t.equal((await send(app, token, 'PATCH', '/users/me', { email, current_password: PASSWORD })).statusCode, 200, email)
    const [mail] = await mails(app) as Array<{ kind: string, email: string }>
    t.strictSame([mail?.kind, mail?.email], ['email_change', email])
    t.equal((await verify(app, await mailToken(app, 'email_change', 'ada', email))).statusCode, 204)

    token = (await logIn(app, passwordGrant(email, PASSWORD))).access_token
    t.equal((await readProfile(app, token)).json().username, 'ada')
    t.strictSame(await profilesOf(app, 'ada'), [{ full_name: null, ...stored(email), email_verified_at: app.clock.now() }])
    t.strictSame(await usersBut(app, 'ada'), before)
  }
})

t.test('an address that is SQL and that nobody has', async (t) => {
  const { app, admin } = await populate(t)
  const before = await usersBut(app, '')

  for (const email of ADDRESSES) {
    t.test(`${email} finds nobody`, async (t) => {
      await forgetCounts(app)
      await app.db.deleteFrom('outbox').execute()

      isOAuthError(t, await requestToken(app, { ...JOHN, username: email }), 400, 'invalid_grant')
      isOAuthError(t, await requestToken(app, passwordGrant(email, PASSWORD)), 400, 'invalid_grant')
      t.strictSame((await admin.send('GET', `/users?q=${encodeURIComponent(email)}`)).json(), { items: [], next_cursor: null })
      t.equal((await requestReset(app, email)).statusCode, 202)
      t.strictSame(await mails(app), [{ kind: 'password_reset', email }])
      t.equal(await app.dueMails.prepare({ kind: 'password_reset', email }), undefined)
    })
  }

  t.test('and nothing is changed', async (t) => { t.strictSame(await usersBut(app, ''), before) })
})

t.test('a link for a new password that went to an address that is SQL proves it, and no other', async (t) => {
  const { app, ada } = await populate(t)
  const before = await usersBut(app, 'ada')

  for (const email of ADDRESSES) {
    await app.accounts.update(ada.id, { email }, {})

    const mail = await app.dueMails.prepare({ kind: 'password_reset', email })
    t.strictSame([mail?.to, mail?.username], [email, 'ada'])
    t.equal((await reset(app, await mailToken(app, 'password_reset'))).statusCode, 204, email)

    t.strictSame(await profilesOf(app, 'ada'), [{ full_name: null, ...stored(email), email_verified_at: app.clock.now() }])
    t.strictSame(await usersBut(app, 'ada'), before)
  }
})

t.test('a role whose scope and description are SQL is stored as it was sent, and no other is changed', async (t) => {
  const { app, admin } = await populate(t)
  const scope = "'or'1'='1'--"
  const others = async () => await app.db.selectFrom('roles').selectAll().where('name', 'not in', ['support', 'admin']).orderBy('name').execute()
  const before = await others()

  for (const description of TEXTS) {
    const response = await admin.send('PUT', '/roles/support', { scopes: [scope], description })

    t.strictSame(response.json(), { name: 'support', scopes: [scope], description, built_in: false })
    t.strictSame(await app.db.selectFrom('roles').selectAll().where('name', '=', 'support').execute(), [{ name: 'support', scopes: scope, description }])
    t.strictSame(await others(), before)
  }

  await enterAs(app, 'sue', 'support')
  t.equal((await logIn(app, { ...passwordGrant('sue', PASSWORD), scope: `profile ${scope}` })).scope, `profile ${scope}`)
  t.equal((await auditEvents(app, 'role_set')).at(-1)?.details, JSON.stringify({ role: 'support', before: scope, after: scope }))
})

t.test('the name of a browser that is SQL is stored as it was sent', async (t) => {
  const { app } = await populate(t)
  const before = await usersBut(app, 'johndoe')

  for (const text of TEXTS) {
    const response = await app.inject({ method: 'POST', url: '/token', headers: { ...FORM_HEADERS, 'user-agent': text }, payload: new URLSearchParams(JOHN).toString() })

    t.equal(response.statusCode, 200, text)
    t.equal((await auditEvents(app, 'login')).at(-1)?.user_agent, text)
    t.equal((await app.db.selectFrom('sessions').select('user_agent').orderBy('id', 'desc').executeTakeFirst())?.user_agent, text)
    t.strictSame(await usersBut(app, 'johndoe'), before)
  }
})

const CURSORS: Array<{ path: string, cursor: Array<string | number> }> = [
  { path: '/users', cursor: ['username', AFTER_ALL] },
  { path: '/users', cursor: ['email', AFTER_ALL] },
  { path: '/users/me/sessions', cursor: [0, AFTER_ALL] },
  { path: '/audit-events', cursor: [0, AFTER_ALL] },
  { path: '/throttles', cursor: [AFTER_ALL] }
]

for (const { path, cursor } of CURSORS) {
  t.test(`a made-up cursor of ${path} that is SQL shows what follows it, which is nothing: ${cursor[0]}`, async (t) => {
    const app = await build(t)
    const reader = await enterWith(app, 'ada', 'users:read', 'audit:read')
    await requestToken(app, { ...JOHN, password: 'wrong' })

    const response = await reader.send('GET', `${path}?cursor=${formatCursor(cursor)}`)

    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { items: [], next_cursor: null })
    t.not((await reader.send('GET', path)).json().items.length, 0, 'there is something before it')
  })
}
