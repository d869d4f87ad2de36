import t from 'tap'
import { databasePath, PASSWORD, PRODUCTION, readAudit, readRows, runCommand, USER_KEYS } from '../command.ts'
import { build, logIn, testEnv } from '../helper.ts'

const create = ['user', 'create', '--username']

t.test('latchkey user create', async (t) => {
  t.test('makes a user who can log in, with the exact members of a user as JSON', async (t) => {
    const env = testEnv(t)

    const { code, stdout, stderr } = await runCommand(env, [...create, 'Ada', '--email', 'Ada@Example.COM', '--full-name', 'Ada Lovelace', '--json'], { input: `${PASSWORD}\n` })

    t.equal(code, 0)
    t.equal(stderr, '')
    const user = JSON.parse(stdout)
    t.same(Object.keys(user).sort(), USER_KEYS)
    t.match(user, {
      username: 'ada',
      email: 'Ada@example.com',
      email_verified: true,
      full_name: 'Ada Lovelace',
      disabled: false,
      roles: ['user'],
      created_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
      last_login_at: null
    })
    t.same(readAudit(env).at(-1), { type: 'user_created', outcome: 'success', actor_id: 'operator', user_id: user.id, details: null })

    const app = await build(t, env)
    t.equal((await logIn(app, { grant_type: 'password', username: 'ada@example.com', password: PASSWORD })).scope, 'profile account')
  })

  t.test('makes the first admin of production, where there is no other user', async (t) => {
    const env = testEnv(t, PRODUCTION)

    const { code, stdout, stderr } = await runCommand(env, [...create, 'ada', '--admin'], { input: `${PASSWORD}\r\n` })

    t.same({ code, stdout, stderr }, { code: 0, stdout: 'ada is there\n', stderr: '' })
    const app = await build(t, env)
    t.match((await logIn(app, { grant_type: 'password', username: 'ada', password: PASSWORD })).scope, /\busers:write\b/)
    t.same((await app.users.list()).map(({ username, roles, emailVerifiedAt }) => ({ username, roles, emailVerifiedAt })),
      [{ username: 'ada', roles: ['user', 'admin'], emailVerifiedAt: null }])
  })

  t.test('gives each role once, however often it is named', async (t) => {
    const env = testEnv(t)

    const { stdout } = await runCommand(env, [...create, 'ada', '--role', 'admin', '--role', 'user', '--admin', '--json'], { input: PASSWORD })

    t.same(JSON.parse(stdout).roles, ['user', 'admin'])
  })

  t.test('says that a user without an address can not log in where one must be proven', async (t) => {
    const env = testEnv(t, { REQUIRE_VERIFIED_EMAIL: 'true' })

    const without = await runCommand(env, [...create, 'ada'], { input: PASSWORD })
    const withAddress = await runCommand(env, [...create, 'ben', '--email', 'ben@example.com'], { input: PASSWORD })

    t.same([without.code, without.stderr], [0, 'With REQUIRE_VERIFIED_EMAIL nobody logs in without an address: give one with --email\n'])
    t.same([withAddress.code, withAddress.stderr], [0, ''])
  })

  t.test('keeps the hash of the password and nothing else of it', async (t) => {
    const env = testEnv(t)

    const { stdout } = await runCommand(env, [...create, 'ada', '--json'], { input: `${PASSWORD}\nanother line\n` })

    const [row] = readRows(databasePath(env), 'select * from users')
    t.match(row, { password_hash: /^\$argon2id\$/ })
    t.notMatch(JSON.stringify(row), PASSWORD)
    t.notMatch(stdout, /correct horse|argon2/)
  })

  t.test('takes no password as an argument', async (t) => {
    const env = testEnv(t)

    const results = await Promise.all([
      runCommand(env, [...create, 'ada', '--password', PASSWORD]),
      runCommand(env, [...create, 'ada', PASSWORD])
    ])

    t.same(results.map(({ code, stdout }) => ({ code, stdout })), [{ code: 1, stdout: '' }, { code: 1, stdout: '' }])
    t.match(results[0]?.stderr, /unknown option '--password'/)
    t.match(results[1]?.stderr, /too many arguments/)
  })

  const refused = [
    { name: 'a short password', args: ['ada'], input: 'secret', message: 'Use at least 15 characters in the password' },
    { name: 'the username in the password', args: ['lovelace'], input: 'Lovelace and some more', message: 'Leave your username and e-mail address out of the password' },
    { name: 'the e-mail address in the password', args: ['ada', '--email', 'lovelace@example.com'], input: 'lovelace and some more', message: 'Leave your username and e-mail address out of the password' },
    { name: 'no password', args: ['ada'], input: '', message: 'Give the password on standard input' },
    { name: 'an empty line for a password', args: ['ada'], input: `\n${PASSWORD}\n`, message: 'Give the password on standard input' },
    { name: 'a username with an @', args: ['a@b'], message: 'Use only letters, digits, dots, underscores and hyphens in the username' },
    { name: 'an e-mail address without a domain', args: ['ada', '--email', 'ada'], message: 'Write the e-mail address with exactly one @' },
    { name: 'an unknown role', args: ['ada', '--role', 'queen'], message: 'There is no such role' },
    { name: 'a username that is taken, in another spelling', args: ['JohnDoe'], message: 'The username is taken' },
    { name: 'an e-mail address that is taken, in another spelling', args: ['ada', '--email', 'JOHNDOE@example.com'], message: 'The e-mail address belongs to another user' }
  ]
  t.test('refuses', async (t) => {
    const env = testEnv(t)
    const app = await build(t, env)
    const before = { users: await app.users.list(), audit: readAudit(env) }

    for (const { name, args, input = PASSWORD, message } of refused) {
      t.test(`${name} with one sentence, and makes nobody`, async (t) => {
        const result = await runCommand(env, [...create, ...args, '--json'], { input })

        t.same(result, { code: 1, stdout: '', stderr: `${message}\n` })
        t.same({ users: await app.users.list(), audit: readAudit(env) }, before)
      })
    }
  })
})
