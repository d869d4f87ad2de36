import t from 'tap'
import { build, createUser, FORM_HEADERS, isOAuthError, JOHN, logIn, readProfile, requestToken } from '../helper.ts'
import { forgetCounts } from '../throttles.ts'

const SQL = [
  "' or '1'='1", "johndoe'--", "johndoe' or 1=1--", '" or ""="', "'; drop table users; --", "johndoe' union select * from users--",
  "x' and (select count(*) from users)>0--", '%', '_', '_ohndoe', 'john%', '*', '?', 'johndoe\\', 'johndoe\u2019 or 1=1'
]

t.test('SQL and wildcards are text', async (t) => {
  const app = await build(t)
  const tables = async (): Promise<unknown[]> => [
    await app.db.selectFrom('users').selectAll().execute(),
    await app.db.selectFrom('sessions').selectAll().execute(),
    await app.db.selectFrom('roles').selectAll().execute()
  ]
  const before = await tables()

  for (const text of SQL) {
    t.test(`${text} finds nobody`, async (t) => {
      await forgetCounts(app)
      isOAuthError(t, await requestToken(app, { ...JOHN, username: text }), 400, 'invalid_grant')
      isOAuthError(t, await requestToken(app, { ...JOHN, password: text }), 400, 'invalid_grant')
      isOAuthError(t, await requestToken(app, { ...JOHN, client_id: text }), 401, 'invalid_client')
      isOAuthError(t, await requestToken(app, { ...JOHN, grant_type: text }), 400, 'unsupported_grant_type')
      isOAuthError(t, await requestToken(app, { grant_type: 'refresh_token', refresh_token: text }), 400, 'invalid_grant')
      t.equal((await requestToken(app, { ...JOHN, scope: text })).json().error, 'invalid_scope')
    })
  }

  t.test('and changes nothing', async (t) => {
    t.strictSame(await tables(), before)
  })
})

t.test('names from the prototype are names like others', async (t) => {
  const app = await build(t)
  const form = `${new URLSearchParams(JOHN).toString()}&__proto__[polluted]=1&constructor.prototype.polluted=1&__proto__=1&constructor=1&toString=1`

  const response = await requestToken(app, form)

  t.equal(response.statusCode, 200)
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    isOAuthError(t, await requestToken(app, { ...JOHN, grant_type: name }), 400, 'unsupported_grant_type')
    isOAuthError(t, await requestToken(app, { ...JOHN, client_id: name }), 401, 'invalid_client')
    isOAuthError(t, await requestToken(app, { ...JOHN, username: name }), 400, 'invalid_grant')
  }
})

const bodies = [
  { name: 'nothing', payload: '' },
  { name: 'null', payload: 'null' },
  { name: 'a list', payload: '[]' },
  { name: 'a text', payload: '"x"' },
  { name: 'a number', payload: '1' },
  { name: 'a byte order mark', payload: '\uFEFF{}' },
  { name: 'a comment', payload: '/* a */ {}' },
  { name: 'single quotes', payload: "{'a': 1}" },
  { name: 'a comma too many', payload: '{"a": 1,}' },
  { name: 'NaN', payload: '{"a": NaN}' },
  { name: 'a prototype', payload: '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}' },
  { name: '100,000 levels', payload: `${'['.repeat(100_000)}${']'.repeat(100_000)}` }
]

t.test('what a gateway sends along is not read', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  for (const { name, payload } of bodies) {
    const response = await app.inject({ method: 'POST', url: '/verify', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, payload })

    t.equal(response.statusCode, 204, name)
  }
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

t.test('a body is taken for nothing where none belongs', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  for (const { name, payload } of bodies) {
    const response = await app.inject({ method: 'GET', url: '/users/me', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, payload })

    t.equal(response.statusCode, 200, name)
  }
})

t.test('nobody is told that another one\'s profile has not changed', async (t) => {
  const app = await build(t)
  await createUser(app, { username: 'ada', password: 'correct horse battery' })
  const { access_token: token } = await logIn(app)
  const { access_token: other } = await logIn(app, { grant_type: 'password', username: 'ada', password: 'correct horse battery' })
  const { headers } = await readProfile(app, token)

  for (const condition of ['*', String(headers.etag), '"x"', 'W/"x"']) {
    const response = await app.inject({ url: '/users/me', headers: { authorization: `Bearer ${other}`, 'if-none-match': condition, 'if-modified-since': new Date().toUTCString() } })

    t.equal(response.statusCode, 200)
    t.equal(response.json().username, 'ada')
  }
})

t.test('what clients say about users and about the way is ignored', async (t) => {
  const app = await build(t)
  const forged = {
    'x-auth-user': 'admin',
    'x-auth-username': 'admin',
    'x-auth-scope': 'users:write',
    'x-user-id': '1',
    x_user_id: '1',
    'x.user.id': '1',
    'remote-user': 'admin',
    'x-forwarded-user': 'admin',
    'x-forwarded-uri': '/health/live',
    'x-forwarded-method': 'OPTIONS',
    'x-original-url': '/health/live',
    'x-original-method': 'GET'
  }
  const { access_token: token } = await logIn(app)

  const anonymous = await app.inject({ url: '/verify', headers: forged })
  const known = await app.inject({ url: '/verify', headers: { ...forged, authorization: `Bearer ${token}` } })
  const wide = await app.inject({ url: '/verify?scope=users:write', headers: { ...forged, authorization: `Bearer ${token}` } })

  t.equal(anonymous.statusCode, 401)
  t.match(known, { statusCode: 204, headers: { 'x-auth-username': 'johndoe', 'x-auth-scope': 'profile account' } })
  t.equal(wide.statusCode, 403)
})

t.test('the names of a form are exact', async (t) => {
  const app = await build(t)

  for (const name of ['username[]', 'username[0]', 'username.x', 'USERNAME', 'username ']) {
    const response = await app.inject({ method: 'POST', url: '/token', headers: FORM_HEADERS, payload: new URLSearchParams({ grant_type: 'password', password: 'secret', [name]: 'johndoe' }).toString() })

    isOAuthError(t, response, 400, 'invalid_request')
  }
})
