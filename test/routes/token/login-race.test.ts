import { hash } from '@node-rs/argon2'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { auditEvents, build, createUser, isOAuthError, requestToken, setPassword } from '../../helper.ts'

const PASSWORD = 'correct horse battery'
const NEW_PASSWORD = 'staple of another kind'
const LOGIN = { grant_type: 'password', username: 'ada', password: PASSWORD }
const OUTDATED = { algorithm: 2, memoryCost: 16, timeCost: 2, parallelism: 1 }

type Act = (app: FastifyInstance, userId: string) => Promise<unknown>

const disable: Act = async (app, userId) => await app.accounts.update(userId, { disabled: true }, {})

const disableForAMoment: Act = async (app, userId) => {
  await app.accounts.update(userId, { disabled: true }, {})
  await setPassword(app, userId, (await app.users.findForLogin('ada'))?.passwordHash ?? '')
  await app.accounts.update(userId, { disabled: false }, {})
}

const changePassword: Act = async (app, userId) => {
  await setPassword(app, userId, await hash(NEW_PASSWORD, { ...OUTDATED, memoryCost: 8 }))
}

async function liveSessions (app: FastifyInstance): Promise<unknown[]> {
  return await app.db.selectFrom('sessions').select('id').where('revoked_at', 'is', null).execute()
}

const acts = [
  { name: 'the user is disabled', act: disable },
  { name: 'the user is disabled, gets a password and is enabled', act: disableForAMoment },
  { name: 'the password changes', act: changePassword }
]

for (const { name, act } of acts) {
  t.test(`a log-in opens no session if ${name} after its password was checked`, async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    const reference = await requestToken(app, { ...LOGIN, password: 'wrong' })
    const { verify } = app.passwordHasher
    t.intercept(app.passwordHasher, 'verify', {
      value: async (stored: string | null, password: string) => {
        const matches = await verify(stored, password)
        await act(app, id)
        return matches
      }
    })

    const response = await requestToken(app, LOGIN)

    isOAuthError(t, response, 400, 'invalid_grant')
    t.equal(response.body, reference.body)
    t.strictSame(await liveSessions(app), [])
    t.match(await auditEvents(app, 'login'), [{ outcome: 'failure', user_id: id }, { outcome: 'failure', user_id: id, session_id: null }])
  })

  t.test(`a log-in opens no session and undoes nothing if ${name} while its old hash is replaced`, async (t) => {
    const app = await build(t)
    const { id } = await createUser(app)
    await setPassword(app, id, await hash(PASSWORD, OUTDATED))
    const makeHash = app.passwordHasher.hash
    let afterAct: unknown
    t.intercept(app.passwordHasher, 'hash', {
      value: async (password: string) => {
        const made = await makeHash(password)
        await act(app, id)
        afterAct = (await app.users.findForLogin('ada'))?.passwordVersion
        return made
      }
    })

    const response = await requestToken(app, LOGIN)

    isOAuthError(t, response, 400, 'invalid_grant')
    t.strictSame(await liveSessions(app), [])
    t.equal((await app.users.findForLogin('ada'))?.passwordVersion, afterAct)
  })
}

t.test('a new password stays when a log-in with the old one replaces its hash at the same time', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app)
  await setPassword(app, id, await hash(PASSWORD, OUTDATED))
  const { verify } = app.passwordHasher
  const calls: string[] = []
  t.intercept(app.passwordHasher, 'verify', {
    value: async (stored: string | null, password: string) => {
      const matches = await verify(stored, password)
      if (calls.push(password) === 1) await changePassword(app, id)
      return matches
    }
  })

  const racing = await requestToken(app, LOGIN)
  const old = await requestToken(app, LOGIN)
  const fresh = await requestToken(app, { ...LOGIN, password: NEW_PASSWORD })

  isOAuthError(t, racing, 400, 'invalid_grant')
  isOAuthError(t, old, 400, 'invalid_grant')
  t.equal(fresh.statusCode, 200)
})

t.test('log-ins that run while the user is disabled leave no live session', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app)
  const login = async () => await requestToken(app, LOGIN)

  const responses = await Promise.all([login(), login(), app.accounts.update(id, { disabled: true }, {}), login(), login()])

  t.equal(responses[2], true)
  t.strictSame(await liveSessions(app), [])
})

t.test('log-ins that run while the password changes leave no live session', async (t) => {
  const app = await build(t)
  const { id } = await createUser(app)
  const login = async () => await requestToken(app, LOGIN)

  await Promise.all([login(), login(), changePassword(app, id), login(), login()])

  t.strictSame(await liveSessions(app), [])
})
