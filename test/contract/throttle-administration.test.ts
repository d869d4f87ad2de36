import t, { type Test } from 'tap'
import { RULES } from '../../lib/throttle/rules.ts'
import type { Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, HOUR, openRepositories, START } from './repositories.ts'
import { stores } from './throttle-stores.ts'

const HERE = '192.0.2.1'
const SCENE = ['user_created', 'login_throttled']
const NOTHING = async (): Promise<void> => {}

/** Ada has failed five times. */
async function openAdministration (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { throttles, throttleKeys, ada } = repositories
  const { id } = await ada({ email: 'ada@example.com' })
  const fail = async (identifier: string, userId: string | undefined, network: string, times: number) => {
    for (let count = 0; count < times; count++) await throttles.countFailure(throttleKeys.ofApplicant({ identifier, userId, network }), {}, NOTHING)
  }
  await fail('ada', id, HERE, 5)
  return { ...repositories, id, fail, rules: async () => (await throttles.list({}, {})).map(({ rule }) => rule).toSorted() }
}

for (const engine of stores) {
  t.test(engine.name, async (t) => {
    t.test('What counts is listed with who waits until when', async (t) => {
      const { throttleAdministration: administration, clock, id } = await openAdministration(t, engine)

      const found = await administration.list({})

      t.strictSame(found.map(({ id }) => id), found.map(({ id }) => id).toSorted())
      t.strictSame(found.map(({ id, ...count }) => count).toSorted((a, b) => a.rule.localeCompare(b.rule)), [
        { rule: 'account', userId: id, username: 'ada', network: null, failures: 5, blockedUntil: null, expiresAt: START + HOUR },
        { rule: 'account', userId: id, username: 'ada', network: null, failures: 5, blockedUntil: null, expiresAt: START + HOUR },
        { rule: 'account_network', userId: id, username: 'ada', network: HERE, failures: 5, blockedUntil: START + 1000, expiresAt: START + HOUR },
        { rule: 'account_network', userId: id, username: 'ada', network: HERE, failures: 5, blockedUntil: START + 1000, expiresAt: START + HOUR },
        { rule: 'network', userId: null, username: null, network: HERE, failures: 5, blockedUntil: null, expiresAt: START + RULES.network.forgetMs }
      ])
      clock.at += 1000
      t.ok((await administration.list({})).every(({ blockedUntil }) => blockedUntil === null))
      clock.at = START + RULES.network.forgetMs
      t.equal((await administration.list({})).length, 4)
      clock.at = START + HOUR
      t.strictSame(await administration.list({}), [])
    })

    t.test('Pages of it, and of what is about one user, go on where the one before ended', async (t) => {
      const { throttleAdministration: administration, fail, id } = await openAdministration(t, engine)
      await fail('eve', undefined, HERE, 1)
      const all = await administration.list({})

      const first = await administration.list({}, { limit: 2 })
      const second = await administration.list({}, { limit: 100, after: first[1]?.id ?? '' })
      const hers = await administration.list({ userId: id })

      t.equal(all.length, 9)
      t.strictSame([...first, ...second], all)
      t.strictSame(hers, all.filter(({ userId }) => userId === id))
      t.equal(hers.length, 4)
    })

    t.test('One count is cleared, if nobody objects for its user', async (t) => {
      const { throttleAdministration: administration, events, id, rules } = await openAdministration(t, engine)
      const found = await administration.list({})
      const [hers, theirs] = ['account_network', 'network'].map((name) => found.find(({ rule }) => rule === name)?.id ?? '') as [string, string]
      const asked: string[] = []

      await t.rejects(administration.clear(hers, CONTEXT, () => async () => { throw new Error('not yours') }), { message: 'not yours' })
      t.equal((await rules()).length, 5)
      await administration.clear(hers, CONTEXT, (userId) => { asked.push(userId); return NOTHING })
      await administration.clear(theirs, CONTEXT, (userId) => { asked.push(userId); return NOTHING })

      t.strictSame(asked, [id])
      t.strictSame(await rules(), ['account', 'account', 'account_network'])
      t.same(await events(...SCENE), [
        event('throttles_cleared', { ...FROM_REQUEST, user_id: id, details: JSON.stringify({ rule: 'account_network', network: HERE }) }),
        event('throttles_cleared', { ...FROM_REQUEST, details: JSON.stringify({ rule: 'network', network: HERE }) })
      ])
      await t.rejects(administration.clear(hers, CONTEXT, () => NOTHING), { statusCode: 404, code: 'not_found' })
    })

    t.test('A count that somebody else clears meanwhile is not cleared twice', async (t) => {
      const { throttleAdministration: administration, throttles, events, id: userId } = await openAdministration(t, engine)
      const [{ id = '' } = {}] = await administration.list({ userId })

      await t.rejects(administration.clear(id, CONTEXT, () => async (tx) => { await throttles.remove(tx, [id]) }), { statusCode: 404, code: 'not_found' })

      t.same(await events(...SCENE), [])
    })

    t.test('A count that is about no network is cleared without one', async (t) => {
      const { throttleAdministration: administration, events } = await openAdministration(t, engine)
      const account = (await administration.list({})).find(({ rule }) => rule === 'account')

      await administration.clear(account?.id ?? '', {}, () => NOTHING)

      t.match(await events(...SCENE), [{ details: '{"rule":"account"}' }])
    })

    t.test('All of a user, of a network, and everything is cleared', async (t) => {
      const { throttleAdministration: administration, fail, events, id, rules } = await openAdministration(t, engine)

      await t.rejects(administration.clearUser(id, CONTEXT, async () => { throw new Error('not yours') }), { message: 'not yours' })
      t.equal(await administration.clearUser(id, CONTEXT, NOTHING), 4)
      t.strictSame(await rules(), ['network'])
      t.equal(await administration.clearUser(id, CONTEXT), 0)

      await fail('eve', undefined, '192.0.2.2', 1)
      t.equal(await administration.clearNetwork('192.0.2.2', CONTEXT), 3)
      t.strictSame(await rules(), ['account', 'account', 'network'])

      t.equal(await administration.clearAll(CONTEXT), 3)
      t.strictSame(await rules(), [])
      t.same(await events(...SCENE), [
        event('throttles_cleared', { ...FROM_REQUEST, user_id: id, details: '{"throttles":4}' }),
        event('throttles_cleared', { ...FROM_REQUEST, user_id: id, details: '{"throttles":0}' }),
        event('throttles_cleared', { ...FROM_REQUEST, details: '{"network":"192.0.2.2","throttles":3}' }),
        event('throttles_cleared', { ...FROM_REQUEST, details: '{"throttles":3}' })
      ])
    })
  })
}
