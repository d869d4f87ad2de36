import { hash } from '@node-rs/argon2'
import t from 'tap'
import { auditEvents, build, captureLog, createUser, isOAuthError, passwordGrant, requestToken, setPassword } from '../../helper.ts'
import { forgetCounts } from '../../throttles.ts'

const PASSWORD = 'correct horse battery'
const OUTDATED = { algorithm: 2, memoryCost: 16, timeCost: 2, parallelism: 1 }

t.test('the wrong password, and every other reason that nobody may log in,', async (t) => {
  const app = await build(t)
  const users = {
    ada: await createUser(app),
    dora: await createUser(app, { username: 'dora' }),
    olga: await createUser(app, { username: 'olga' }),
    ned: await createUser(app, { username: 'ned', password: null })
  }
  await setPassword(app, users.olga.id, await hash(PASSWORD, OUTDATED))
  await app.accounts.update(users.dora.id, { disabled: true }, {})
  await app.accounts.update(users.olga.id, { disabled: true }, {})
  const reference = await requestToken(app, passwordGrant('ada', 'wrong horse battery'))
  const refused = [
    { name: 'a wrong password', userId: users.ada.id, form: passwordGrant('ada', 'wrong') },
    { name: 'the right password in capitals', userId: users.ada.id, form: passwordGrant('ada', PASSWORD.toUpperCase()) },
    { name: 'the right password after a space', userId: users.ada.id, form: passwordGrant('ada', ` ${PASSWORD}`) },
    { name: 'the right password before a space', userId: users.ada.id, form: passwordGrant('ada', `${PASSWORD} `) },
    { name: 'more text than any password has', userId: users.ada.id, form: passwordGrant('ada', PASSWORD.repeat(100)) },
    { name: 'a user who does not exist', userId: null, form: passwordGrant('eve', PASSWORD) },
    { name: 'an e-mail address that does not exist', userId: null, form: passwordGrant('eve@example.com', PASSWORD) },
    { name: 'a name that nobody can have', userId: null, form: passwordGrant('<b onclick="x">\\\r\n\u001b[31m', PASSWORD) },
    { name: 'a name with a quote for the database', userId: null, form: passwordGrant('\' or 1=1 --', PASSWORD) },
    { name: 'a disabled user with the right password', userId: users.dora.id, form: passwordGrant('dora', PASSWORD) },
    { name: 'a disabled user with a wrong password', userId: users.dora.id, form: passwordGrant('dora', 'wrong') },
    { name: 'a disabled user with the right password and a scope that he lacks', userId: users.dora.id, form: { ...passwordGrant('dora', PASSWORD), scope: 'users:read' } },
    { name: 'a disabled user with the right password and an old hash', userId: users.olga.id, form: passwordGrant('olga', PASSWORD) },
    { name: 'a user without a password', userId: users.ned.id, form: passwordGrant('ned', PASSWORD) },
    { name: 'a user without a password who sends null', userId: users.ned.id, form: passwordGrant('ned', 'null') },
    { name: 'a user without a password who sends undefined', userId: users.ned.id, form: passwordGrant('ned', 'undefined') }
  ]
  for (const { name, userId, form } of refused) {
    await t.test(`has one answer, costs one hash and is audited: ${name}`, async (t) => {
      await forgetCounts(app)
      const verified = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
      const hashed = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)
      const before = await auditEvents(app, 'login')

      const response = await requestToken(app, form)

      isOAuthError(t, response, 400, 'invalid_grant')
      t.equal(response.body, reference.body)
      t.strictSame({ ...response.headers, date: '' }, { ...reference.headers, date: '' })
      t.equal(verified().length, 1)
      t.equal(hashed().length, 0)
      const [event, ...more] = (await auditEvents(app, 'login')).slice(before.length)
      t.match(event, { outcome: 'failure', user_id: userId })
      t.strictSame(more, [])
    })
  }

  t.strictSame(await app.db.selectFrom('sessions').select('id').execute(), [])
})

t.test('a log-in with the right password costs one hash too', async (t) => {
  const app = await build(t)
  await createUser(app)
  const verified = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const hashed = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)

  const response = await requestToken(app, passwordGrant('ada', PASSWORD))

  t.equal(response.statusCode, 200)
  t.equal(verified().length, 1)
  t.equal(hashed().length, 0)
})

t.test('a stored text that is no acceptable hash', async (t) => {
  const SALT_AND_DIGEST = `${'A'.repeat(22)}$${'A'.repeat(43)}`
  const hostile = [
    { name: 'asks for 4 GiB', stored: `$argon2id$v=19$m=4294967295,t=1,p=1$${SALT_AND_DIGEST}` },
    { name: 'asks for a billion passes', stored: `$argon2id$v=19$m=8,t=1000000000,p=1$${SALT_AND_DIGEST}` },
    { name: 'asks for many lanes', stored: `$argon2id$v=19$m=65536,t=1,p=4096$${SALT_AND_DIGEST}` },
    { name: 'is cut off', stored: '$argon2id$v=19$m=8,t=1,p=1$AAAA' },
    { name: 'is empty', stored: '' },
    { name: 'is the password itself', stored: PASSWORD },
    { name: 'is of a kind that is not known', stored: '$6$abcdefgh$aWlPZZqzFkzjCVTLbqQRPQKRgqNMmcXwRMZUfXqPIbJJZJXEdcJkBkDYvR0zPfE4S2bLdBp1Ol6hDqxOLvDq21' }
  ]
  for (const { name, stored } of hostile) {
    t.test(`is as a wrong password when it ${name}, and is reported to the operator`, async (t) => {
      const log = captureLog('error')
      const app = await build(t, {}, log.logger)
      const { id } = await createUser(app)
      const reference = await requestToken(app, passwordGrant('ada', 'wrong'))
      await setPassword(app, id, stored)

      const response = await requestToken(app, passwordGrant('ada', PASSWORD))

      isOAuthError(t, response, 400, 'invalid_grant')
      t.equal(response.body, reference.body)
      t.match(log.lines, [{ level: 50, msg: /stored password hash/ }])
      t.notMatch(log.text(), PASSWORD)
      t.equal((await requestToken(app)).statusCode, 200)
    })
  }
})

t.test('every character of a password counts', async (t) => {
  const app = await build(t)
  const long = 'correct horse battery staple '.repeat(4).slice(0, 99)
  await createUser(app, { username: 'lena', password: `${long}a` })
  await createUser(app, { username: 'maud', password: `${long}b` })

  t.equal((await requestToken(app, passwordGrant('lena', `${long}a`))).statusCode, 200)
  t.equal((await requestToken(app, passwordGrant('maud', `${long}b`))).statusCode, 200)
  isOAuthError(t, await requestToken(app, passwordGrant('lena', `${long}b`)), 400, 'invalid_grant')
  isOAuthError(t, await requestToken(app, passwordGrant('maud', `${long}a`)), 400, 'invalid_grant')
  isOAuthError(t, await requestToken(app, passwordGrant('maud', long)), 400, 'invalid_grant')
})

t.test('a password is the same however its accents are composed', async (t) => {
  const app = await build(t)
  const password = 'crème brûlée à la carte'
  await createUser(app, { password: password.normalize('NFC') })

  const composed = await requestToken(app, passwordGrant('ada', password.normalize('NFC')))
  const decomposed = await requestToken(app, passwordGrant('ada', password.normalize('NFD')))
  const stripped = await requestToken(app, passwordGrant('ada', 'creme brulee a la carte'))

  t.equal(composed.statusCode, 200)
  t.equal(decomposed.statusCode, 200)
  isOAuthError(t, stripped, 400, 'invalid_grant')
})

t.test('nothing that a user sends or gets as a secret is in the log', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  await createUser(app)

  const good = await requestToken(app, passwordGrant('ada', PASSWORD))
  const bad = await requestToken(app, passwordGrant('ada\r\n"', `${PASSWORD} no`))
  const refreshed = await requestToken(app, { grant_type: 'refresh_token', refresh_token: good.json().refresh_token })

  t.equal(bad.statusCode, 400)
  t.equal(refreshed.statusCode, 200)
  t.equal(log.lines.filter(({ path }) => path === '/token').length, 3)
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'lkr_', good.json().access_token, refreshed.json().access_token]) {
    t.notOk(log.text().includes(secret))
  }
})

t.test('Where no password counts, no stored hash is looked at, cheap or not', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app)
  const verified = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
  const lookedAt = (): unknown[] => verified().map(({ args: [stored] }) => typeof stored === 'function' ? stored() : stored)

  await requestToken(app, passwordGrant('ada', PASSWORD))
  t.match(lookedAt(), [/^\$argon2id/])

  await app.accounts.update(id, { disabled: true }, {})
  await requestToken(app, passwordGrant('ada', PASSWORD))
  t.same(lookedAt(), [null])
})
