import t from 'tap'
import { parseEmail } from '../../lib/identifiers.ts'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, HOUR, openRepositories, START } from './repositories.ts'

const EMAIL = 'ada@example.com'
const INVALID = { statusCode: 400, code: 'invalid_token', message: 'The link is not valid any more; ask for a new one' }
const SCENE = ['user_created', 'login']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A mail is owed to whoever has the address, and the event names nobody', async (t) => {
      const { recovery, ada, events, mails } = await openRepositories(t, engine)
      await ada({ email: EMAIL })

      for (const email of [EMAIL, 'nobody@example.com']) {
        await recovery.requestPasswordReset(parseEmail(email), CONTEXT)
        await recovery.requestEmailVerification(parseEmail(email), CONTEXT)
      }

      t.same(await mails(), [EMAIL, 'nobody@example.com'].flatMap((email) => [{ kind: 'password_reset', email }, { kind: 'email_verification', email }]))
      const pair = [event('password_reset_requested', FROM_REQUEST), event('email_verification_requested', FROM_REQUEST)]
      t.same(await events(...SCENE), [...pair, ...pair])
    })

    t.test('A reset sets the password, ends everything and proves the address', async (t) => {
      const { recovery, users, ada, open, isLive, login, mailedToken, events, mails, clock, db } = await openRepositories(t, engine)
      const { id } = await ada({ email: EMAIL })
      const sessions = [await open(), await open()]
      await mailedToken('email_verification', EMAIL)
      const token = await mailedToken('password_reset', EMAIL)
      clock.at += 5

      t.same(await recovery.findPasswordOwner(token), { username: 'ada', email: EMAIL })
      await recovery.resetPassword(token, 'new hash', CONTEXT)

      t.match(await login(), { passwordHash: 'new hash', passwordVersion: 1, emailVerifiedAt: START + 5 })
      t.match(await users.find('ada'), { email: EMAIL, updatedAt: START + 5 })
      t.same(await Promise.all(sessions.map(isLive)), [false, false])
      t.same(await db.selectFrom('one_time_tokens').selectAll().execute(), [])
      t.match(await mails(), [{ kind: 'password_changed', email: EMAIL }])
      t.same(await events(...SCENE), [
        event('user_password_reset', { ...FROM_REQUEST, user_id: id, at: START + 5, details: '{"sessions":2}' }),
        event('email_verified', { ...FROM_REQUEST, user_id: id, at: START + 5, details: '{"address":"confirmed"}' })
      ])
    })

    t.test('A reset leaves the time at which the address was proven before', async (t) => {
      const { recovery, ada, login, mailedToken, clock, events } = await openRepositories(t, engine)
      await ada({ email: EMAIL, emailVerified: true })
      const token = await mailedToken('password_reset', EMAIL)
      clock.at += 5

      await recovery.resetPassword(token, 'new hash', {})

      t.match(await login(), { passwordHash: 'new hash', emailVerifiedAt: START })
      t.same((await events(...SCENE)).map(({ type }) => type), ['user_password_reset'])
    })

    for (const { name, mailedTo } of [{ name: 'another address', mailedTo: 'old@example.com' }, { name: 'none', mailedTo: null }]) {
      t.test(`A reset whose mail went to ${name} proves nothing`, async (t) => {
        const { recovery, ada, login, mailedToken } = await openRepositories(t, engine)
        await ada({ email: EMAIL })
        const token = await mailedToken('password_reset', mailedTo)

        await recovery.resetPassword(token, 'new hash', {})

        t.match(await login(), { passwordHash: 'new hash', emailVerifiedAt: null })
      })
    }

    t.test('An invitation sets a password as a reset does, once', async (t) => {
      const { recovery, ada, login, mailedToken } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      const token = await mailedToken('invitation', EMAIL)
      const reset = await mailedToken('password_reset', EMAIL)

      t.same(await recovery.findPasswordOwner(token), { username: 'ada', email: EMAIL })
      await t.rejects(recovery.verifyEmail(token, {}), INVALID)
      await recovery.resetPassword(token, 'new hash', {})

      t.match(await login(), { passwordHash: 'new hash', emailVerifiedAt: START })
      for (const link of [token, reset]) await t.rejects(recovery.resetPassword(link, 'bad hash', {}), INVALID)
    })

    t.test('Looking at a token does not use it up', async (t) => {
      const { recovery, ada, login, mailedToken } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      const token = await mailedToken('password_reset', EMAIL)

      for (let look = 0; look < 3; look++) await recovery.findPasswordOwner(token)
      await recovery.resetPassword(token, 'new hash', {})

      t.match(await login(), { passwordHash: 'new hash' })
    })

    t.test('A token is good once, until its time is over, and for what it is for', async (t) => {
      const { recovery, ada, login, mailedToken, clock, mails, events } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      const isRefused = async (token: string): Promise<void> => {
        await t.rejects(recovery.findPasswordOwner(token), INVALID)
        await t.rejects(recovery.resetPassword(token, 'bad hash', {}), INVALID)
        await t.rejects(recovery.verifyEmail(token, {}), INVALID)
      }

      const expired = await mailedToken('password_reset', EMAIL)
      clock.at += HOUR
      await isRefused(expired)
      const replaced = await mailedToken('password_reset', EMAIL)
      const reset = await mailedToken('password_reset', EMAIL)
      const verification = await mailedToken('email_verification', EMAIL)
      await isRefused(replaced)
      await t.rejects(recovery.verifyEmail(reset, {}), INVALID)
      await t.rejects(recovery.findPasswordOwner(verification), INVALID)
      await t.rejects(recovery.resetPassword(verification, 'bad hash', {}), INVALID)
      await isRefused('')
      t.same(await mails(), [])
      await recovery.verifyEmail(verification, {})
      await isRefused(verification)
      const last = await mailedToken('password_reset', EMAIL)
      await recovery.resetPassword(last, 'new hash', {})
      await isRefused(last)

      t.match(await login(), { passwordHash: 'new hash', passwordVersion: 1 })
      t.same((await events(...SCENE)).map(({ type }) => type), ['email_verified', 'user_password_reset'])
    })

    t.test('A token does not survive another password, even if it was not removed with the old one', async (t) => {
      const { recovery, ada, login, mailedToken, db } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      const tokens = { reset: await mailedToken('password_reset', EMAIL), verification: await mailedToken('email_verification', 'eve@example.com') }
      await db.updateTable('users').set({ password_version: 1 }).execute()

      await t.rejects(recovery.findPasswordOwner(tokens.reset), INVALID)
      await t.rejects(recovery.resetPassword(tokens.reset, 'bad hash', {}), INVALID)
      await t.rejects(recovery.verifyEmail(tokens.verification, {}), INVALID)

      t.match(await login(EMAIL), { passwordHash: 'hash', emailVerifiedAt: null })
    })

    t.test('Of parallel resets with one token one succeeds, and its password is the one', async (t) => {
      const { recovery, ada, login, mailedToken, mails } = await openRepositories(t, engine)
      await ada({ email: EMAIL })
      const token = await mailedToken('password_reset', EMAIL)

      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, async (_, index) => {
        await recovery.resetPassword(token, `hash ${index}`, {})
        return `hash ${index}`
      }))

      const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      t.equal(winners.length, 1)
      t.match(await login(), { passwordHash: winners[0]?.value, passwordVersion: 1 })
      t.match(outcomes.filter(({ status }) => status === 'rejected'), Array(19).fill({ reason: INVALID }))
      t.equal((await mails()).length, 1)
    })

    for (const { part, method } of [{ part: 'audit', method: 'record' }, { part: 'outbox', method: 'add' }] as const) {
      t.test(`What fails at the ${part} did not happen, and the link is still good`, async (t) => {
        const { recovery, ada, login, open, isLive, mailedToken, mails, ...scene } = await openRepositories(t, engine)
        await ada({ email: EMAIL })
        const session = await open()
        const before = await login()
        const reset = await mailedToken('password_reset', EMAIL)
        const verification = await mailedToken('email_verification', 'ada@example.org')
        const fault = t.intercept(scene[part], method as never, { value: async () => { throw new Error('disk full') } })

        await t.rejects(recovery.resetPassword(reset, 'new hash', {}), { message: 'disk full' })
        await t.rejects(recovery.verifyEmail(verification, {}), { message: 'disk full' })
        await t.rejects(recovery.requestPasswordReset(parseEmail(EMAIL), {}), { message: 'disk full' })
        await t.rejects(recovery.requestEmailVerification(parseEmail(EMAIL), {}), { message: 'disk full' })

        t.same(await login(), before)
        t.equal(await isLive(session), true)
        t.same(await mails(), [])
        fault.restore()
        await recovery.verifyEmail(verification, {})
        await recovery.resetPassword(await mailedToken('password_reset', 'ada@example.org'), 'new hash', {})
        t.match(await login('ada@example.org'), { passwordHash: 'new hash' })
      })
    }
  })
}
