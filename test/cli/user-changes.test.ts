import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { emptyDatabase, PASSWORD, readAudit, runCommand, USER_KEYS } from '../command.ts'
import { build, createUser, logIn, readProfile, refresh, requestToken, testEnv } from '../helper.ts'

const JOHN_BY_MAIL = 'JohnDoe@EXAMPLE.com'
const ADA = { grant_type: 'password', username: 'ada', password: PASSWORD }

/** What a running server answers to the tokens that a user had before. */
async function tryTokens (app: FastifyInstance, tokens: { access_token: string, refresh_token: string }): Promise<number[]> {
  const answers = await Promise.all([readProfile(app, tokens.access_token), refresh(app, tokens.refresh_token)])
  return answers.map(({ statusCode }) => statusCode)
}

t.test('latchkey user, while a server runs on the same database', async (t) => {
  t.test('create makes a user whom the server knows at once', async (t) => {
    const env = testEnv(t)
    const app = await build(t, env)
    const before = await requestToken(app, ADA)

    const { code } = await runCommand(env, ['user', 'create', '--username', 'ada'], { input: PASSWORD })

    t.equal(before.statusCode, 400)
    t.equal(code, 0)
    t.equal((await readProfile(app, (await logIn(app, ADA)).access_token)).json().username, 'ada')
  })

  t.test('disable ends the sessions and keeps the user out until enable', async (t) => {
    const env = testEnv(t)
    const app = await build(t, env)
    const tokens = await logIn(app)
    const { id } = (await readProfile(app, tokens.access_token)).json()

    const disabled = await runCommand(env, ['user', 'disable', JOHN_BY_MAIL, '--json'])
    const repeated = await runCommand(env, ['user', 'disable', 'johndoe'])
    const whileDisabled = [...await tryTokens(app, tokens), (await requestToken(app)).statusCode]
    const enabled = await runCommand(env, ['user', 'enable', 'JOHNDOE', '--json'])
    const afterwards = [...await tryTokens(app, tokens), (await requestToken(app)).statusCode]
    const needless = await runCommand(env, ['user', 'enable', 'johndoe'])

    t.same({ code: disabled.code, stderr: disabled.stderr }, { code: 0, stderr: '' })
    t.same(Object.keys(JSON.parse(disabled.stdout)).sort(), USER_KEYS)
    t.match(JSON.parse(disabled.stdout), { id, username: 'johndoe', disabled: true })
    t.same(repeated, { code: 0, stdout: 'johndoe was disabled already\n', stderr: '' })
    t.same(whileDisabled, [401, 400, 400])
    t.match(JSON.parse(enabled.stdout), { id, username: 'johndoe', disabled: false })
    t.same(afterwards, [401, 400, 200])
    t.same(needless, { code: 0, stdout: 'johndoe was not disabled\n', stderr: '' })
    t.same(readAudit(env).filter(({ actor_id: actor }) => actor !== null), [
      { type: 'user_disabled', outcome: 'success', actor_id: 'operator', user_id: id, details: null },
      { type: 'user_enabled', outcome: 'success', actor_id: 'operator', user_id: id, details: null }
    ])
  })

  t.test('set-password ends the sessions, and the new password only logs in', async (t) => {
    const env = testEnv(t)
    const app = await build(t, env)
    const user = await createUser(app, { username: 'ada', password: 'an older password' })
    const tokens = await logIn(app, { ...ADA, password: 'an older password' })

    const result = await runCommand(env, ['user', 'set-password', 'ada'], { input: `${PASSWORD}\n` })

    t.same(result, { code: 0, stdout: 'ada has a new password\n', stderr: '' })
    t.same(await tryTokens(app, tokens), [401, 400])
    t.equal((await requestToken(app, { ...ADA, password: 'an older password' })).statusCode, 400)
    t.equal((await requestToken(app, ADA)).statusCode, 200)
    t.same(readAudit(env).filter(({ actor_id: actor }) => actor !== null),
      [{ type: 'user_password_set', outcome: 'success', actor_id: 'operator', user_id: user.id, details: '{"sessions":1}' }])
  })

  const weak = [
    { name: 'is short', input: 'secret', message: 'Use at least 15 characters in the password' },
    { name: 'has the e-mail address in it', input: 'johndoe@example.com and more', message: 'Leave your username and e-mail address out of the password' }
  ]
  for (const { name, input, message } of weak) {
    t.test(`set-password refuses a password that ${name} and changes nothing`, async (t) => {
      const env = testEnv(t)
      const app = await build(t, env)
      const tokens = await logIn(app)

      const result = await runCommand(env, ['user', 'set-password', 'johndoe', '--json'], { input })

      t.same(result, { code: 1, stdout: '', stderr: `${message}\n` })
      t.same(await tryTokens(app, tokens), [200, 200])
      t.equal((await requestToken(app)).statusCode, 200)
    })
  }

  t.test('logout ends all sessions of one user and lets him log in again', async (t) => {
    const env = testEnv(t)
    const app = await build(t, env)
    await createUser(app)
    const [first, second, other] = [await logIn(app), await logIn(app), await logIn(app, ADA)]

    const result = await runCommand(env, ['user', 'logout', JOHN_BY_MAIL])
    const asJson = await runCommand(env, ['user', 'logout', 'johndoe', '--json'])

    t.same(result, { code: 0, stdout: 'johndoe is logged out of 2 sessions\n', stderr: '' })
    t.same([await tryTokens(app, first), await tryTokens(app, second), await tryTokens(app, other)], [[401, 400], [401, 400], [200, 200]])
    t.equal((await requestToken(app)).statusCode, 200)
    t.same(Object.keys(JSON.parse(asJson.stdout)).sort(), USER_KEYS)
    t.match(readAudit(env).filter(({ actor_id: actor }) => actor !== null), [
      { type: 'user_logged_out', outcome: 'success', details: '{"sessions":2}' },
      { type: 'user_logged_out', outcome: 'success', details: '{"sessions":0}' }
    ])
  })

  for (const command of ['disable', 'set-password']) {
    t.test(`${command} fails for somebody who does not exist`, async (t) => {
      const result = await runCommand(await emptyDatabase(t), ['user', command, 'nobody', '--json'], { input: PASSWORD })

      t.same(result, { code: 1, stdout: '', stderr: 'There is no such user\n' })
    })
  }
})
