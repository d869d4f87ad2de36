import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { runCommand } from '../command.ts'
import { build, createUser, logIn, readProfile, requestToken, testEnv } from '../helper.ts'
import { PASSWORD, sendJson } from '../mailed-links.ts'
import { enterAs, type Person } from '../routes/people.ts'
import { mails } from '../routes/users-me/requests.ts'

const OWNER = { username: 'grace', email: 'grace@example.com', password: PASSWORD }
// The compatibility forms of the at sign become an ordinary one in a username.
const ADDRESS_OF_OWNER = ['grace@example.com', 'GRACE@Example.COM', 'grace\uFF20example.com', 'grace\uFE6Bexample.com', 'ｇｒａｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ']
const NAME_OF_OWNER = ['grace', 'GRACE', 'ｇｒａｃｅ', 'grace@', '@grace']

interface Way {
  name: string
  claim: (app: FastifyInstance, who: { admin: Person, mallory: Person }, claim: { username?: string, email?: string }) => Promise<LightMyRequestResponse>
}

const NEW_USER = { username: 'new', email: 'new@example.com' }
const making: Way[] = [
  { name: 'signing up', claim: async (app, _, claim) => await sendJson(app, 'POST', '/signup', { ...NEW_USER, password: PASSWORD, ...claim }) },
  { name: 'an administrator who makes a user', claim: async (_, { admin }, claim) => await admin.send('POST', '/users', { ...NEW_USER, ...claim }) }
]
const changing: Way[] = [
  { name: 'a change of the own profile', claim: async (_, { mallory }, claim) => await mallory.send('PATCH', '/users/me', { ...claim, current_password: PASSWORD }) },
  { name: 'an administrator who changes a user', claim: async (_, { admin, mallory }, claim) => await admin.send('PATCH', `/users/${mallory.id}`, claim) }
]

async function everybody (app: FastifyInstance) {
  return {
    users: await app.db.selectFrom('users').select(['id', 'username', 'email', 'email_key']).orderBy('id').execute(),
    mails: await mails(app)
  }
}

async function populate (t: Test) {
  const app = await build(t, { REGISTRATION: 'open' })
  await createUser(app, OWNER)
  const who = { admin: await enterAs(app, 'ada', 'admin'), mallory: await enterAs(app, 'mallory') }
  return { app, who, before: await everybody(app) }
}

for (const { name, claim } of making) {
  t.test(`${name} gives nobody a username that is another one's address`, async (t) => {
    const { app, who, before } = await populate(t)

    for (const username of ADDRESS_OF_OWNER) {
      const response = await claim(app, who, { username })

      t.match({ status: response.statusCode, ...response.json() }, { status: 400, code: 'validation_failed', message: 'Use only letters, digits, dots, underscores and hyphens in the username' }, username)
    }
    t.strictSame(await everybody(app), before)
  })
}

for (const { name, claim } of changing) {
  t.test(`${name} gives nobody a username that is another one's address, nor any other`, async (t) => {
    const { app, who, before } = await populate(t)

    for (const username of [...ADDRESS_OF_OWNER, 'other']) t.equal((await claim(app, who, { username })).statusCode, 400, username)

    t.strictSame(await everybody(app), before)
  })
}

for (const { name, claim } of [...making, ...changing]) {
  t.test(`${name} gives nobody an address that is another one's username`, async (t) => {
    const { app, who, before } = await populate(t)

    for (const email of NAME_OF_OWNER) t.match((await claim(app, who, { email })).json(), { statusCode: 400, code: 'validation_failed' }, email)

    t.strictSame(await everybody(app), before)
  })
}

t.test('a log-in by any spelling of an address finds its owner or nobody', async (t) => {
  const { app } = await populate(t)
  const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'grace@example.com', password: PASSWORD })

  t.match((await readProfile(app, token)).json(), { username: 'grace' })
  for (const username of ADDRESS_OF_OWNER.slice(2)) {
    t.equal((await requestToken(app, { grant_type: 'password', username, password: PASSWORD })).statusCode, 400, username)
  }
})

t.test('the operator', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  await createUser(app, OWNER)
  const before = await everybody(app)
  const claims = [{ username: 'grace@example.com' }, { username: 'grace\uFF20example.com' }, { username: 'new', email: 'grace' }]

  t.test('makes no such user', async (t) => {
    for (const { username, email } of claims) {
      const result = await runCommand(env, ['user', 'create', '--username', username, ...email === undefined ? [] : ['--email', email]], { input: PASSWORD })

      t.match(result, { code: 1, stdout: '', stderr: /^(?:Use only letters|Write the e-mail address with exactly one @)/ })
    }
    t.strictSame(await everybody(app), before)
  })

  t.test('imports no such user', async (t) => {
    const result = await runCommand(env, ['user', 'import', '-'], { input: claims.map((claim) => `${JSON.stringify(claim)}\n`).join('') })

    t.match(result, { code: 1, stdout: '0 imported, 0 there already, 3 refused\n' })
    t.strictSame(await everybody(app), before)
  })
})
