import { hash } from '@node-rs/argon2'
import t from 'tap'
import { build, captureLog, createUser, isOAuthError, passwordGrant, requestToken, setPassword } from '../../helper.ts'

const PASSWORD = 'correct horse battery'
const OUTDATED = { algorithm: 2, memoryCost: 16, timeCost: 2, parallelism: 1 }

t.test('a hash with old settings', async (t) => {
  t.test('is replaced at the next good log-in, and no more after that', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    await setPassword(app, id, await hash(PASSWORD, OUTDATED))

    const first = await requestToken(app, passwordGrant('ada', PASSWORD))
    const upgraded = await app.users.findForLogin('ada')
    const second = await requestToken(app, passwordGrant('ada', PASSWORD))

    t.equal(first.statusCode, 200)
    t.match(upgraded?.passwordHash, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    t.equal(second.statusCode, 200)
    t.strictSame(await app.users.findForLogin('ada'), upgraded)
  })

  t.test('is not replaced at a bad one', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    const outdated = await hash(PASSWORD, OUTDATED)
    await setPassword(app, id, outdated)

    const response = await requestToken(app, passwordGrant('ada', 'wrong'))

    isOAuthError(t, response, 400, 'invalid_grant')
    t.equal((await app.users.findForLogin('ada'))?.passwordHash, outdated)
  })

  t.test('is replaced once by ten log-ins at a time, and all sessions live', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    const outdated = await hash(PASSWORD, OUTDATED)
    await setPassword(app, id, outdated)
    const before = await app.users.findForLogin('ada')
    const upgrades = t.capture(app.passwords, 'upgradeHash', app.passwords.upgradeHash)

    const responses = await Promise.all(Array.from({ length: 10 }, async () => await requestToken(app, passwordGrant('ada', PASSWORD))))

    t.strictSame(responses.map(({ statusCode }) => statusCode), Array(10).fill(200))
    const [first] = upgrades()
    t.strictSame(await app.users.findForLogin('ada'), { ...before, passwordHash: first?.args[2] })
    const sessions = await Promise.all(responses.map(async (response) => await app.sessions.findLive(app.accessTokens.verify(response.json().access_token).sid)))
    t.notOk(sessions.includes(undefined))
  })

  t.test('waits for its replacement as a stranger, who overtakes nobody, and not once the client has gone', async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    await setPassword(app, id, await hash(PASSWORD, OUTDATED))
    const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)

    await requestToken(app, passwordGrant('ada', PASSWORD))

    t.match(hashes().map(({ args: [, caller] }) => caller), [{ network: '127.0.0.1', isKnown: false, signal: AbortSignal }])
  })

  t.test('stays for now when there is no time for a new one', async (t) => {
    const log = captureLog('warn')
    const app = await build(t, { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0' }, log.logger)
    const { id } = await createUser(app)
    const outdated = await hash(PASSWORD, OUTDATED)
    await setPassword(app, id, outdated)
    const { verify } = app.passwordHasher
    let other: Promise<string> | undefined
    t.intercept(app.passwordHasher, 'verify', {
      value: async (stored: string | null, password: string) => {
        const matches = await verify(stored, password)
        other = app.passwordHasher.hash('somebody else comes first')
        return matches
      }
    })

    const response = await requestToken(app, passwordGrant('ada', PASSWORD))

    t.equal(response.statusCode, 200)
    t.equal((await app.users.findForLogin('ada'))?.passwordHash, outdated)
    t.match(log.lines, [{ level: 40, msg: /could not be replaced/ }])
    await other
  })
})
