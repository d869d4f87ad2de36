import t from 'tap'
import { auditEvents, build, createUser, isOAuthError, JOHN, logIn, refresh, requestToken } from '../../helper.ts'

const ADMIN = { grant_type: 'password', username: 'ada', password: 'correct horse battery' }

t.test('a log-in gives', async (t) => {
  const app = await build(t)
  await createUser(app, { roles: ['admin'] })
  const granted = [
    { name: 'all that is allowed if no scope is asked for', form: JOHN, scope: 'profile account' },
    { name: 'all that is allowed if an empty scope is asked for', form: { ...JOHN, scope: '' }, scope: 'profile account' },
    { name: 'no more than was asked for', form: { ...JOHN, scope: 'account' }, scope: 'account' },
    { name: 'what is allowed of what was asked for', form: { ...JOHN, scope: 'users:read profile users:write' }, scope: 'profile' },
    { name: 'nothing for a scope that does not exist', form: { ...JOHN, scope: 'profile everything' }, scope: 'profile' },
    { name: 'each scope once, in the order asked for', form: { ...JOHN, scope: 'account profile account' }, scope: 'account profile' },
    { name: 'what the roles of the user allow', form: { ...ADMIN, scope: 'users:read profile' }, scope: 'users:read profile' }
  ]
  for (const { name, form, scope } of granted) {
    t.test(name, async (t) => {
      const response = await requestToken(app, form)

      t.equal(response.statusCode, 200)
      t.equal(response.json().scope, scope)
      t.equal(app.accessTokens.verify(response.json().access_token).scope, scope)
    })
  }
})

t.test('a log-in refuses, before any work, a scope with', async (t) => {
  const app = await build(t)
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const malformed = [
    { name: 'a quote', scope: 'profile "' },
    { name: 'a backslash', scope: 'pro\\file' },
    { name: 'a character outside ASCII', scope: 'profilé' },
    { name: 'a line break', scope: 'profile\naccount' },
    { name: 'two spaces', scope: 'profile  account' },
    { name: 'a space at the end', scope: 'profile ' },
    { name: 'more text than any scope has', scope: 'x'.repeat(513) }
  ]
  for (const { name, scope } of malformed) {
    t.test(name, async (t) => {
      const response = await requestToken(app, { ...JOHN, scope })

      isOAuthError(t, response, 400, 'invalid_scope')
      t.strictSame(hashes(), [])
    })
  }
})

t.test('a log-in that asks only for scopes that are not allowed', async (t) => {
  t.test('is refused after the right password, without a session', async (t) => {
    const app = await build(t)

    const response = await requestToken(app, { ...JOHN, scope: 'users:read' })

    isOAuthError(t, response, 400, 'invalid_scope')
    t.strictSame(await app.db.selectFrom('sessions').select('id').execute(), [])
    t.match(await auditEvents(app, 'login'), [{ outcome: 'failure', session_id: null }])
  })

  t.test('does not say so after a wrong one', async (t) => {
    const app = await build(t)

    const response = await requestToken(app, { ...JOHN, password: 'wrong', scope: 'users:read' })

    isOAuthError(t, response, 400, 'invalid_grant')
  })
})

t.test('a refresh', async (t) => {
  t.test('with a narrower scope narrows that access token only', async (t) => {
    const app = await build(t)
    const tokens = await logIn(app)

    const narrow = await refresh(app, tokens.refresh_token, { scope: 'profile' })
    const full = await refresh(app, narrow.json().refresh_token)

    t.equal(narrow.json().scope, 'profile')
    t.equal(app.accessTokens.verify(narrow.json().access_token).scope, 'profile')
    t.equal(full.json().scope, 'profile account')
    t.equal(app.accessTokens.verify(full.json().access_token).scope, 'profile account')
  })

  const refused = [
    { name: 'a wider scope', scope: 'account profile' },
    { name: 'another scope', scope: 'profile' },
    { name: 'a scope that does not exist', scope: 'everything' },
    { name: 'a malformed scope', scope: '"' }
  ]
  for (const { name, scope } of refused) {
    t.test(`with ${name} is refused and does not cost the token`, async (t) => {
      const app = await build(t)
      const tokens = await logIn(app, { ...JOHN, scope: 'account' })

      const response = await refresh(app, tokens.refresh_token, { scope })

      isOAuthError(t, response, 400, 'invalid_scope')
      const [session] = await app.db.selectFrom('sessions').select(['generation', 'revoked_at']).execute()
      t.same(session, { generation: 0, revoked_at: null })
      t.equal((await refresh(app, tokens.refresh_token)).json().scope, 'account')
    })
  }

  t.test('gives no scope that the user has lost with a role', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app, { roles: ['admin'] })
    const tokens = await logIn(app, { ...ADMIN, scope: 'profile users:read keys:write' })
    await app.db.deleteFrom('user_roles').where('user_id', '=', id).execute()

    const response = await refresh(app, tokens.refresh_token)

    t.equal(response.statusCode, 200)
    t.equal(response.json().scope, 'profile')
    t.equal(app.accessTokens.verify(response.json().access_token).scope, 'profile')
  })

  t.test('is refused to a user who has lost every scope of the session', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app, { roles: ['admin'] })
    const tokens = await logIn(app, { ...ADMIN, scope: 'users:read' })
    await app.db.deleteFrom('user_roles').where('user_id', '=', id).execute()

    const response = await refresh(app, tokens.refresh_token)

    isOAuthError(t, response, 400, 'invalid_scope')
  })

  t.test('gives a scope no wider than the log-in had when the user gets a role', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    const tokens = await logIn(app, ADMIN)
    await app.db.insertInto('user_roles').values({ user_id: id, role: 'admin' }).execute()

    const response = await refresh(app, tokens.refresh_token)

    t.equal(response.json().scope, 'profile account')
  })
})
