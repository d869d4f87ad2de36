import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { build, createUser, fileOf, isOAuthError, JOHN, logIn, readProfile, refresh, SECRET, temporaryDirectory } from '../../helper.ts'

const OTHER_SECRET = 'another-secret-9876543210-zyxwvutsrqponmlkjihgfedcba'

t.test('a refresh token that is changed in any one character is refused and harms nobody', async (t) => {
  const app = await build(t)
  const first = await logIn(app)
  const { refresh_token: token } = (await refresh(app, first.refresh_token)).json()
  const forgeries = Array.from(token as string, (character, index) => `${token.slice(0, index)}${character === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`)

  const responses = await Promise.all(forgeries.map(async (forgery) => await refresh(app, forgery)))

  t.equal(responses.length, 76)
  for (const response of responses) isOAuthError(t, response, 400, 'invalid_grant')
  t.equal((await refresh(app, token)).statusCode, 200)
})

t.test('no refresh token is', async (t) => {
  const app = await build(t)
  const tokens = await logIn(app)
  const foreign = await build(t, { LATCHKEY_SECRET: OTHER_SECRET })
  const { sessionId = '' } = app.refreshTokens.read(tokens.refresh_token) ?? {}
  const refused = [
    { name: 'an access token', token: tokens.access_token },
    { name: 'the id of a session', token: sessionId },
    { name: 'the prefix alone', token: 'lkr_' },
    { name: 'a refresh token without its prefix', token: tokens.refresh_token.slice(4) },
    { name: 'a refresh token with padding', token: `${tokens.refresh_token}=` },
    { name: 'a refresh token and a space', token: `${tokens.refresh_token} ` },
    { name: 'a refresh token cut short', token: tokens.refresh_token.slice(0, -4) },
    { name: 'one that was made with another secret', token: foreign.refreshTokens.issue({ sessionId, generation: 0 }) },
    { name: 'one of a session that does not exist', token: app.refreshTokens.issue({ sessionId: uuidv7(), generation: 0 }) },
    { name: 'one of a generation to come', token: app.refreshTokens.issue({ sessionId, generation: 1 }) },
    { name: 'any other text', token: '" or 1=1 --' }
  ]
  const before = await refresh(app, 'unknown')
  for (const { name, token } of refused) {
    await t.test(name, async (t) => {
      const response = await refresh(app, token)

      isOAuthError(t, response, 400, 'invalid_grant')
      t.equal(response.body, before.body)
    })
  }

  t.equal((await refresh(app, tokens.refresh_token)).statusCode, 200)
})

t.test('a refresh token is no access token', async (t) => {
  const app = await build(t)
  const tokens = await logIn(app)

  const response = await readProfile(app, tokens.refresh_token)

  t.equal(response.statusCode, 401)
})

t.test('a thousand refresh tokens share nothing that could be guessed', async (t) => {
  const app = await build(t)

  const macs = Array.from({ length: 1000 }, () => Buffer.from(app.refreshTokens.issue({ sessionId: uuidv7(), generation: 0 }).slice(4), 'base64url').subarray(22))

  t.ok(macs.every((mac) => mac.length === 32))
  // Of 16 bits, two in 1,000 values agree; of 64, none do, wherever the window lies.
  for (let start = 0; start <= 24; start++) t.equal(new Set(macs.map((mac) => mac.toString('hex', start, start + 8))).size, 1000)
})

t.test('tokens outlive a change of the secret as long as the old one is listed', async (t) => {
  const DATABASE_URL = `file:${temporaryDirectory(t)}/latchkey.db`
  const before = await build(t, { DATABASE_URL })
  const tokens = await logIn(before)
  await before.close()
  const during = await build(t, { DATABASE_URL, LATCHKEY_SECRET: `${OTHER_SECRET},${SECRET}` })

  const response = await refresh(during, tokens.refresh_token)
  await during.close()
  const after = await build(t, { DATABASE_URL, LATCHKEY_SECRET: OTHER_SECRET })

  t.equal(response.statusCode, 200)
  t.equal((await refresh(after, response.json().refresh_token)).statusCode, 200)
  isOAuthError(t, await refresh(after, tokens.refresh_token), 400, 'invalid_grant')
})

t.test('the database holds no password and no token', async (t) => {
  const app = await build(t)
  const password = 'correct horse battery'
  await createUser(app, { password })
  const first = await logIn(app, { ...JOHN, username: 'ada', password })
  const second = (await refresh(app, first.refresh_token)).json()
  await refresh(app, 'lkr_unknown')

  const path = fileOf(app.config)
  const files = readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name)))

  const bytes = Buffer.concat(files)
  t.ok(bytes.includes('correct') === false && bytes.includes('$argon2id$'))
  for (const { access_token: accessToken, refresh_token: refreshToken } of [first, second]) {
    const [, payload = '', signature = ''] = accessToken.split('.')
    const mac = Buffer.from(refreshToken.slice(4), 'base64url').subarray(22)
    for (const secret of [payload, signature, Buffer.from(signature, 'base64url'), refreshToken, refreshToken.slice(4), mac, mac.toString('hex'), mac.toString('base64')]) {
      t.notOk(bytes.includes(secret))
    }
  }
})
