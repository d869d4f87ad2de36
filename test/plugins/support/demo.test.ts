import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import { UnavailableError } from '../../../lib/errors.ts'
import demo from '../../../plugins/support/demo.ts'
import { logInAt, startServer } from '../../server-process.ts'
import { PRODUCTION as COMMON } from '../../command.ts'
import { auditEvents, build, captureLog, createUser, JOHN, logIn, PUBLIC_URL, readProfile, refresh, requestToken, setPassword, temporaryDirectory, testEnv, type Env } from '../../helper.ts'

// The same issuer, so that it is not that which makes tokens worthless.
const PRODUCTION = { ...COMMON, PUBLIC_URL }
const DISABLED = 'The demo user has no place in production and is disabled now; choose a password for it with: latchkey user set-password'

const fileIn = (directory: string): Env => ({ DATABASE_URL: `file:${directory}/latchkey.db` })

for (const environment of ['development', 'test']) {
  t.test(`an empty database gets the demo user in ${environment}, and the log says so`, async (t) => {
    const log = captureLog('info')
    const app = await build(t, { NODE_ENV: environment }, log.logger)

    const { access_token: token, scope } = await logIn(app, JOHN)
    const profile = (await readProfile(app, token)).json()

    t.equal(scope, 'profile account')
    t.match(profile, { username: 'johndoe', email: 'johndoe@example.com', email_verified: true, full_name: 'John Doe', disabled: false })
    t.strictSame(profile.roles, ['user'])
    t.ok(log.lines.some(({ level, msg }) => level === 30 && msg === 'Demo user: johndoe / secret'))
  })
}

t.test('production never gets a demo user, and is told how to make the first one', async (t) => {
  const log = captureLog('info')
  const app = await build(t, PRODUCTION, log.logger)

  t.strictSame(await app.users.list(), [])
  t.equal((await requestToken(app, JOHN)).statusCode, 400)
  t.ok(log.lines.some(({ level, msg }) => level === 40 && msg === 'There is no user yet; make the first one with: latchkey user create --username NAME --admin'))
  t.notMatch(log.text(), /johndoe|secret/)
})

t.test('a database with users gets no demo user', async (t) => {
  const database = fileIn(temporaryDirectory(t))
  const production = await build(t, { ...PRODUCTION, ...database })
  await createUser(production, { username: 'ada' })
  await production.close()
  const log = captureLog('info')

  const app = await build(t, { ...database, NODE_ENV: 'development' }, log.logger)

  t.strictSame((await app.users.list()).map(({ username }) => username), ['ada'])
  t.notMatch(log.text(), 'Demo user')
})

t.test('a development database that is promoted to production', async (t) => {
  const database = fileIn(temporaryDirectory(t))
  const development = await build(t, database)
  const tokens = await logIn(development, JOHN)
  const { access_token: other } = await logIn(development, JOHN)
  await development.close()
  const log = captureLog('info')

  const app = await build(t, { ...PRODUCTION, ...database }, log.logger)

  t.test('has its demo user disabled, with a warning and an event', async (t) => {
    const [user] = await app.users.list()
    t.ok(user?.disabledAt)
    t.match(log.lines.filter(({ level }) => level === 40), [{ username: 'johndoe', msg: DISABLED }])
    t.match(await auditEvents(app, 'user_disabled'), [{ user_id: user?.id, outcome: 'success' }])
  })

  t.test('lets nobody in with the demo password or with what it gave before', async (t) => {
    t.match((await requestToken(app, JOHN)).json(), { error: 'invalid_grant' })
    t.match((await refresh(app, tokens.refresh_token)).json(), { error: 'invalid_grant' })
    t.equal((await readProfile(app, tokens.access_token)).statusCode, 401)
    t.equal((await readProfile(app, other)).statusCode, 401)
    const open = await app.db.selectFrom('sessions').select('id').where('revoked_at', 'is', null).execute()
    t.same(open, [])
  })

  t.test('lets nobody in with it either when an administrator has enabled it, until it has another password', async (t) => {
    const [user] = await app.users.list()
    await app.accounts.update(user?.id as string, { disabled: false }, {})

    t.match((await requestToken(app, JOHN)).json(), { error: 'invalid_grant' })

    await setPassword(app, user?.id as string, await app.passwordHasher.hash('correct horse battery'))
    t.equal((await requestToken(app, { ...JOHN, password: 'correct horse battery' })).statusCode, 200)
    await app.db.updateTable('users').set({ disabled_at: Date.now() }).execute()
  })

  t.test('does not warn again at the next start, and stays as it is in development', async (t) => {
    await app.close()
    const again = captureLog('info')
    const production = await build(t, { ...PRODUCTION, ...database }, again.logger)
    await production.close()
    const development = await build(t, database, again.logger)

    t.notMatch(again.text(), 'demo user')
    t.notMatch(again.text(), 'Demo user')
    t.match((await requestToken(development, JOHN)).json(), { error: 'invalid_grant' })
  })
})

t.test('a demo user whose password was changed is a user like others', async (t) => {
  const database = fileIn(temporaryDirectory(t))
  const password = 'correct horse battery'
  const development = await build(t, database)
  const [user] = await development.users.list()
  await setPassword(development, user?.id as string, await development.passwordHasher.hash(password))
  await development.close()
  const log = captureLog('info')

  const app = await build(t, { ...PRODUCTION, ...database }, log.logger)

  t.equal((await requestToken(app, { ...JOHN, password })).statusCode, 200)
  t.equal((await requestToken(app, JOHN)).statusCode, 400)
  t.same(log.lines.filter(({ level }) => Number(level) >= 40), [])
})

t.test('several that start at once on one new file share it and one demo user', async (t) => {
  const env = testEnv(t)

  const servers = await Promise.all(Array.from({ length: 3 }, async () => await startServer(t, env)))

  for (const server of servers) await t.resolves(logInAt(server))
  t.equal((await build(t, env).then(async (app) => await app.users.list())).length, 1)
})

/** Starts the plugin alone on the users of an empty database, with something that happens while it makes its hash. */
async function startBeside (t: Test, app: FastifyInstance, meanwhile: () => Promise<unknown>): Promise<void> {
  const fastify = Fastify()
  t.teardown(async () => { await fastify.close() })
  const hash = async (password: string): Promise<string> => {
    await meanwhile()
    return await app.passwordHasher.hash(password)
  }
  await fastify.register(fp(async () => {}, { name: 'config' })).register(fp(async () => {}, { name: 'users' })).register(fp(async () => {}, { name: 'accounts' })).register(fp(async () => {}, { name: 'password-hasher' }))
  fastify.decorate('config', { ...app.config, production: false }).decorate('users', app.users).decorate('accounts', app.accounts).decorate('passwordHasher', { ...app.passwordHasher, hash })
  await fastify.register(demo).ready()
}

t.test('a demo user that another process made in the same moment is no fault', async (t) => {
  const app = await build(t, PRODUCTION)

  await t.resolves(startBeside(t, app, async () => await createUser(app, { username: 'johndoe', password: 'secret' })))

  t.equal((await app.users.list()).length, 1)
})

t.test('any other fault while the demo user is made stops the start', async (t) => {
  const app = await build(t, PRODUCTION)

  const faults = [new UnavailableError('The database does not answer', 1), new Error('the disk is gone')]

  for (const fault of faults) {
    app.users.create = async () => { throw fault }
    await t.rejects(startBeside(t, app, async () => {}), fault)
  }
})
