import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

const EMAIL = 'ada@example.com'
const INVALID = { statusCode: 400, code: 'invalid_token' }
const SCENE = ['user_created', 'login']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A proven address counts, once, and makes all other links void', async (t) => {
      const { recovery, users, ada, open, isLive, mailedToken, events, mails, clock } = await openRepositories(t, engine)
      const { id } = await ada({ email: 'Ada@example.com' })
      const session = await open()
      const reset = await mailedToken('password_reset', EMAIL)
      const token = await mailedToken('email_verification', 'Ada@example.com')
      clock.at += 5

      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, async () => { await recovery.verifyEmail(token, CONTEXT) }))

      t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      t.match(await users.find('ada'), { email: 'Ada@example.com', emailVerifiedAt: START + 5, updatedAt: START + 5 })
      t.equal(await isLive(session), false)
      await t.rejects(recovery.findPasswordOwner(reset), INVALID)
      t.same(await mails(), [{ kind: 'email_confirmed', userId: id, email: 'Ada@example.com' }])
      t.same(await events(...SCENE), [event('email_verified', { ...FROM_REQUEST, user_id: id, at: START + 5, details: '{"address":"confirmed"}' })])
    })

    t.test('Another address replaces the old one, which is told, and ends no session of whom had proven that', async (t) => {
      const { recovery, users, ada, login, open, isLive, mailedToken, events, mails } = await openRepositories(t, engine)
      const { id } = await ada({ email: EMAIL, emailVerified: true })
      const session = await open()
      const token = await mailedToken('email_change', 'Ada.L@example.org')

      await recovery.verifyEmail(token, {})

      t.match(await users.find('ada'), { email: 'Ada.L@example.org', emailVerifiedAt: START })
      t.equal((await login('ada.l@example.org')).id, id)
      t.equal(await users.find(EMAIL), undefined)
      t.equal(await isLive(session), true)
      t.same(await mails(), [{ kind: 'email_changed', email: EMAIL, username: 'ada' }, { kind: 'email_confirmed', userId: id, email: 'Ada.L@example.org' }])
      t.same(await events(...SCENE), [event('email_verified', { user_id: id, details: '{"address":"replaced"}' })])
    })

    t.test('The first address replaces none', async (t) => {
      const { recovery, users, ada, mailedToken, mails } = await openRepositories(t, engine)
      const { id } = await ada()

      await recovery.verifyEmail(await mailedToken('email_change', EMAIL), {})

      t.match(await users.find('ada'), { email: EMAIL, emailVerifiedAt: START })
      t.same(await mails(), [{ kind: 'email_confirmed', userId: id, email: EMAIL }])
    })

    t.test('A change to another address ends the sessions of whom had proven none', async (t) => {
      const { recovery, ada, open, isLive, mailedToken } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      const session = await open()

      await recovery.verifyEmail(await mailedToken('email_change', 'victim@example.com'), {})

      t.equal(await isLive(session), false)
    })

    t.test('A token without an address proves none', async (t) => {
      const { recovery, ada, mailedToken } = await openRepositories(t, engine)
      await ada({ email: EMAIL })

      await t.rejects(recovery.verifyEmail(await mailedToken('email_verification', null), {}), INVALID)
    })

    t.test('Of two users who prove one address at once one has it', async (t) => {
      const { recovery, users, ada, mailedToken, mails } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      await users.create({ username: 'ben', email: 'ben@example.com' }, {})
      const tokens = [await mailedToken('email_verification', 'both@example.com'), await mailedToken('email_verification', 'both@example.com', 'ben')]

      const outcomes = await Promise.allSettled(tokens.map(async (token) => { await recovery.verifyEmail(token, {}) }))

      t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      t.match(outcomes.filter(({ status }) => status === 'rejected'), [{ reason: INVALID }])
      t.equal((await users.list()).filter(({ email, emailVerifiedAt }) => email === 'both@example.com' && emailVerifiedAt === START).length, 1)
      t.equal((await mails()).filter(({ kind }) => kind === 'email_confirmed').length, 1)
    })
  })
}
