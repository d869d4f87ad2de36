import t from 'tap'
import { parseEmail } from '../../lib/identifiers.ts'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

const registrant = (username: string, email = `${username}@example.com`) =>
  ({ username, email: parseEmail(email), fullName: null, passwordHash: `hash of ${username}` })

const TAKEN = { statusCode: 409, code: 'username_taken' }

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Who signs up is an ordinary user whose address is not proven, and is mailed', async (t) => {
      const { registration, users, login, events, mails } = await openRepositories(t, engine)

      await registration.signUp({ ...registrant('ada', 'Ada@EXAMPLE.com'), fullName: 'Ada Lovelace' }, CONTEXT)

      const user = await users.find('ada')
      t.match(user, { email: 'Ada@example.com', emailVerifiedAt: null, fullName: 'Ada Lovelace', roles: ['user'], disabledAt: null, createdAt: START, lastLoginAt: null })
      t.match(await login('ada@example.com'), { id: user?.id, passwordHash: 'hash of ada', passwordVersion: 0, emailVerifiedAt: null })
      t.same(await events(), [event('user_signed_up', { ...FROM_REQUEST, user_id: user?.id as string })])
      t.same(await mails(), [{ kind: 'email_verification', email: 'Ada@example.com' }])
    })

    t.test('Who gives an address that has a user becomes nobody, and only the mail tells', async (t) => {
      const { registration, users, ada, events, mails } = await openRepositories(t, engine)
      const before = await ada({ email: 'ada@example.com' })

      await registration.signUp(registrant('ben', 'ADA@example.com'), CONTEXT)

      t.equal(await users.find('ben'), undefined)
      t.same(await users.list(), [before])
      t.same(await events('user_created'), [event('user_signed_up', { ...FROM_REQUEST, outcome: 'failure', details: '{"error":"email_taken"}' })])
      t.same(await mails(), [{ kind: 'address_in_use', email: 'ADA@example.com' }])
    })

    for (const { name, email } of [{ name: 'free', email: 'free@example.com' }, { name: 'taken too', email: 'ada@example.com' }]) {
      t.test(`A taken name is refused while the address is ${name}, and nobody is mailed`, async (t) => {
        const { registration, users, ada, events, mails } = await openRepositories(t, engine)
        const before = await ada({ email: 'ada@example.com' })

        await t.rejects(registration.signUp(registrant('ada', email), {}), TAKEN)

        t.same(await users.list(), [before])
        t.same(await events('user_created'), [event('user_signed_up', { outcome: 'failure', details: '{"error":"username_taken"}' })])
        t.same(await mails(), [])
      })
    }

    t.test('Of parallel sign-ups with one name one succeeds', async (t) => {
      const { registration, users, mails } = await openRepositories(t, engine)

      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, async (_, index) => {
        await registration.signUp(registrant('ada', `ada-${index}@example.com`), {})
      }))

      const refused = outcomes.filter(({ status }) => status === 'rejected')
      t.equal(refused.length, 9)
      t.match(refused, Array(9).fill({ reason: TAKEN }))
      t.equal((await users.list()).length, 1)
      t.equal((await mails()).length, 1)
    })

    t.test('Parallel sign-ups with one address make one user and as many mails as the address is to have', async (t) => {
      const { registration, users, mails, events } = await openRepositories(t, engine)

      await Promise.all(Array.from({ length: 10 }, async (_, index) => {
        await registration.signUp(registrant(`ada-${index}`, 'ada@example.com'), {})
      }))

      t.equal((await users.list()).length, 1)
      t.same((await mails()).map(({ kind }) => kind).toSorted(), ['address_in_use', 'email_verification'])
      t.same((await events()).map(({ outcome }) => outcome).toSorted(), [...Array(9).fill('failure'), 'success'])
    })

    for (const { part, method } of [{ part: 'audit', method: 'record' }, { part: 'outbox', method: 'add' }] as const) {
      t.test(`A sign-up that fails at the ${part} did not happen`, async (t) => {
        const { registration, users, events, mails, ...scene } = await openRepositories(t, engine)
        t.intercept(scene[part], method as never, { value: async () => { throw new Error('disk full') } })

        await t.rejects(registration.signUp(registrant('ada'), {}), { message: 'disk full' })

        t.same([await users.list(), await events(), await mails()], [[], [], []])
      })
    }
  })
}
