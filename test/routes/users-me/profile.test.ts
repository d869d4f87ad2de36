import t from 'tap'
import { build, logIn, readProfile, stopClock } from '../../helper.ts'
import { audited, enter, isProblem, mails, PASSWORD, send, sidOf, stored } from './requests.ts'

t.test('PATCH /users/me changes the full name at once', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const { id, access_token: token } = await enter(app)
  const before = (await readProfile(app, token)).json()
  clock.advance(5000)

  const response = await send(app, token, 'PATCH', '/users/me', { full_name: 'Ada Lovelace' })

  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), { ...before, full_name: 'Ada Lovelace', updated_at: new Date(app.clock.now()).toISOString() })
  t.strictSame((await readProfile(app, token)).json(), response.json())
  t.strictSame(await audited(app, 'user_updated'), [{ outcome: 'success', actorId: id, userId: id, sessionId: sidOf({ access_token: token }), clientId: 'first-party', ip: '127.0.0.1', details: { members: 'full_name' } }])
  t.strictSame(await mails(app), [])
})

t.test('null takes the full name away', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  const response = await send(app, token, 'PATCH', '/users/me', { full_name: null })

  t.match(response.json(), { username: 'johndoe', full_name: null, email: 'johndoe@example.com' })
})

t.test('a change of nothing changes nothing', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)

  const response = await send(app, token, 'PATCH', '/users/me', {})

  t.equal(response.statusCode, 200)
  t.strictSame(await stored(app, id), before)
  t.strictSame(await audited(app, 'user_updated'), [])
})

t.test('nothing but the profile can be changed here', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)
  const members: Record<string, unknown> = {
    role: 'admin',
    roles: ['admin'],
    scope: 'users:write',
    scopes: ['users:write'],
    id: '0198c0de-0000-7000-8000-000000000000',
    sub: '0198c0de-0000-7000-8000-000000000000',
    username: 'root',
    email_verified: true,
    email_verified_at: 1,
    password: 'another good password',
    password_hash: '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAA',
    password_version: 0,
    totp_secret: 'x',
    created_at: '2000-01-01T00:00:00.000Z',
    disabled: false,
    disabled_at: null,
    profile: { roles: ['admin'] },
    user: { roles: ['admin'], full_name: 'x' },
    $set: { roles: ['admin'] },
    constructor: { prototype: { roles: ['admin'] } },
    new_password: 'another good password'
  }
  for (const [name, value] of Object.entries(members)) {
    t.test(name, async (t) => {
      for (const body of [{ [name]: value }, { full_name: 'Mallory', [name]: value }, { email: 'm@example.com', current_password: PASSWORD, [name]: value }]) {
        const response = await send(app, token, 'PATCH', '/users/me', body)

        t.equal(response.statusCode, 400)
      }
      t.strictSame(await stored(app, id), before)
      t.strictSame(await mails(app), [])
    })
  }

  t.test('__proto__', async (t) => {
    const response = await send(app, token, 'PATCH', '/users/me', '{"full_name":"Mallory","__proto__":{"roles":["admin"]}}')

    t.equal(response.statusCode, 400)
    t.strictSame(await stored(app, id), before)
  })
})

t.test('a body that is no change is refused', async (t) => {
  const app = await build(t)
  const { id, access_token: token } = await enter(app)
  const before = await stored(app, id)
  const bodies = [
    'null', '[]', '"x"', '1', 'true', '', '{', '{"full_name":"a",}',
    { full_name: 5 }, { full_name: true }, { full_name: ['Ada'] }, { full_name: { first: 'Ada' } }, { full_name: '' }, { full_name: ' \t ' },
    { full_name: 'a'.repeat(201) }, { full_name: 'a'.repeat(1201) }, { full_name: 'a\nb' }, { full_name: 'a\u0000b' }, { full_name: 'a\u202Eb' }, '{"full_name":"\\ud800"}'
  ]
  for (const body of bodies) {
    await t.test(JSON.stringify(body).slice(0, 40), async (t) => {
      const response = await send(app, token, 'PATCH', '/users/me', body)

      t.equal(response.statusCode, 400)
      t.match(response.json().code, /^(?:validation_failed|bad_request)$/)
    })
  }
  t.strictSame(await stored(app, id), before)
  t.equal((await send(app, token, 'PATCH', '/users/me')).statusCode, 400, 'no body')
})

t.test('a full name that is much too long is refused unread', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)

  isProblem(t, await send(app, token, 'PATCH', '/users/me', { full_name: 'a'.repeat(801) }), 400, 'validation_failed', 'body.full_name must NOT have more than 800 characters')
})

t.test('a user who is gone meanwhile is not shown', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  const update = app.accounts.update
  t.intercept(app.accounts, 'update', {
    value: async (...parameters: Parameters<typeof update>) => {
      await app.accounts.remove(parameters[0], {})
      return await update(...parameters)
    }
  })

  const response = await send(app, token, 'PATCH', '/users/me', { full_name: 'Ada Lovelace' })

  isProblem(t, response, 404, 'not_found')
})

t.test('each change of an account needs the scope account', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'johndoe', password: 'secret', scope: 'profile' })
  const before = await app.db.selectFrom('users').selectAll().execute()
  const requests = [
    ['PATCH', '/users/me', { full_name: 'Mallory' }],
    ['DELETE', '/users/me', { current_password: 'secret' }],
    ['PUT', '/users/me/password', { current_password: 'secret', new_password: 'another good password' }],
    ['GET', '/users/me/sessions', undefined],
    ['DELETE', '/users/me/sessions', undefined],
    ['DELETE', '/users/me/sessions/0198c0de-0000-7000-8000-000000000000', undefined]
  ] as const
  for (const [method, url, payload] of requests) {
    const response = await send(app, token, method, url, payload)

    isProblem(t, response, 403, 'insufficient_scope')
    t.equal(response.headers['www-authenticate'], 'Bearer realm="latchkey", error="insufficient_scope", scope="account"')
  }
  t.strictSame(await app.db.selectFrom('users').selectAll().execute(), before)
})
