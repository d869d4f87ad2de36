import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { auditEvents, build, captureLog, FORM_HEADERS, isOAuthError, logIn, postForm, readProfile, refresh, type Tokens } from '../helper.ts'
import { isAlive, isDead, revoke } from '../revoking.ts'

const handles = [
  { name: 'its refresh token', form: (tokens: Tokens) => ({ token: tokens.refresh_token }) },
  { name: 'its refresh token and the right hint', form: (tokens: Tokens) => ({ token: tokens.refresh_token, token_type_hint: 'refresh_token' }) },
  { name: 'its refresh token and the wrong hint', form: (tokens: Tokens) => ({ token: tokens.refresh_token, token_type_hint: 'access_token' }) },
  { name: 'its access token', form: (tokens: Tokens) => ({ token: tokens.access_token }) },
  { name: 'its access token and an unknown hint', form: (tokens: Tokens) => ({ token: tokens.access_token, token_type_hint: 'foo' }) }
]
for (const { name, form } of handles) {
  t.test(`POST /revoke ends a session at once by ${name}, and no other`, async (t) => {
    const app = await build(t)
    const [session, other] = [await logIn(app), await logIn(app)]

    const response = await postForm(app, '/revoke', form(session))

    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), {})
    t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache' })
    t.ok(await isDead(app, session))
    t.ok(await isAlive(app, other))
  })
}

t.test('POST /revoke ends a session by a refresh token that was replaced, with all its tokens', async (t) => {
  const app = await build(t)
  const old = await logIn(app)
  const newest = (await refresh(app, old.refresh_token)).json()

  const response = await revoke(app, old.refresh_token)

  t.equal(response.statusCode, 200)
  t.ok(await isDead(app, newest))
  t.ok(await isDead(app, old))
  t.strictSame(await auditEvents(app, 'refresh_token_reuse'), [])
})

t.test('POST /revoke has the same answer for, and does nothing about,', async (t) => {
  const app = await build(t)
  const [good, gone] = [await logIn(app), await logIn(app)]
  const reference = await revoke(app, gone.refresh_token)
  const { sid } = app.accessTokens.verify(good.access_token)
  const useless = [
    { name: 'a token of a session that is over', token: gone.refresh_token },
    { name: 'an access token of a session that is over', token: gone.access_token },
    { name: 'an unknown refresh token', token: app.refreshTokens.issue({ sessionId: uuidv7(), generation: 0 }) },
    { name: 'a changed refresh token', token: `${good.refresh_token.slice(0, -1)}${good.refresh_token.endsWith('A') ? 'B' : 'A'}` },
    { name: 'a changed access token', token: good.access_token.replace(/\.\w/, '.X') },
    { name: 'an access token without its signature', token: good.access_token.replace(/[^.]+$/, '') },
    { name: 'the id of a session', token: sid },
    { name: 'text that is no token', token: '\' or 1=1 --' },
    { name: 'very long text', token: 'x'.repeat(16_000) }
  ]
  for (const { name, token } of useless) {
    await t.test(name, async (t) => {
      const response = await revoke(app, token)

      t.equal(response.statusCode, 200)
      t.equal(response.body, reference.body)
      t.strictSame({ ...response.headers, date: '' }, { ...reference.headers, date: '' })
    })
  }

  t.ok(await isAlive(app, good))
  t.equal((await auditEvents(app, 'logout')).length, 1)
})

t.test('POST /revoke does not end a session of another client', async (t) => {
  const app = await build(t)
  const tokens = await logIn(app)
  const { sid } = app.accessTokens.verify(tokens.access_token)
  await app.db.updateTable('sessions').set({ client_id: 'somebody-else' }).where('id', '=', sid).execute()

  const responses = [await revoke(app, tokens.refresh_token), await revoke(app, tokens.access_token)]

  t.strictSame(responses.map(({ statusCode }) => statusCode), [200, 200])
  t.same(await app.db.selectFrom('sessions').select('revoked_at').where('id', '=', sid).executeTakeFirst(), { revoked_at: null })
  t.strictSame(await auditEvents(app, 'logout'), [])
})

t.test('POST /revoke refuses as an invalid request', async (t) => {
  const app = await build(t)
  const { refresh_token: token } = await logIn(app)
  const malformed = [
    { name: 'no token', form: '', status: 400 },
    { name: 'an empty token', form: 'token=', status: 400 },
    { name: 'two tokens', form: `token=${token}&token=${token}`, status: 400 },
    { name: 'a broken encoding', form: 'token=%ff', status: 400 },
    { name: 'a token in the query', form: '', query: `?token=${token}`, status: 400 },
    { name: 'a token in the query too', form: `token=${token}`, query: '?token=x', status: 400 },
    { name: 'JSON', form: JSON.stringify({ token }), type: 'application/json', status: 415 },
    { name: 'plain text', form: `token=${token}`, type: 'text/plain', status: 415 },
    { name: 'more than 16 KiB', form: `token=${'x'.repeat(16_384)}`, status: 413 }
  ]
  for (const { name, form, query = '', type = FORM_HEADERS['content-type'], status } of malformed) {
    await t.test(name, async (t) => {
      const response = await app.inject({ method: 'POST', url: `/revoke${query}`, headers: { 'content-type': type }, payload: form })

      isOAuthError(t, response, status, 'invalid_request')
    })
  }

  t.equal((await refresh(app, token)).statusCode, 200)
})

t.test('a token in the URL of /revoke is in no answer and no log', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)

  const get = await app.inject({ url: '/revoke?token=kanarienvogel' })
  const post = await app.inject({ method: 'POST', url: '/revoke?token=kanarienvogel', headers: FORM_HEADERS })

  t.equal(get.statusCode, 405)
  t.equal(get.headers.allow, 'POST')
  isOAuthError(t, post, 400, 'invalid_request')
  t.notMatch(get.body + post.body + log.text(), 'kanarienvogel')
})

t.test('whatever the spelling of an access token, its session is over', async (t) => {
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const app = await build(t)
  const tokens = await logIn(app)
  const [header = '', payload = '', signature = ''] = tokens.access_token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const negated = (ORDER - BigInt(`0x${bytes.toString('hex', 32)}`)).toString(16).padStart(64, '0')
  const otherSignature = Buffer.concat([bytes.subarray(0, 32), Buffer.from(negated, 'hex')]).toString('base64url')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const otherLetter = alphabet[alphabet.indexOf(signature.slice(-1)) + 1] as string
  const twins = [`${header}.${payload}.${otherSignature}`, `${header}.${payload}.${signature.slice(0, -1)}${otherLetter}`]
  t.strictSame(Buffer.from(twins[1]?.split('.')[2] ?? '', 'base64url'), bytes)

  await revoke(app, tokens.access_token)

  for (const twin of twins) t.equal((await readProfile(app, twin)).statusCode, 401)
})
