import t, { type Test } from 'tap'
import type { Counter } from '../../lib/throttle/keys.ts'
import { RULES, type RuleName } from '../../lib/throttle/rules.ts'
import type { Claim } from '../../lib/throttle/store.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, HOUR, openRepositories, START } from './repositories.ts'
import { stores } from './throttle-stores.ts'

const MINUTE = 60_000

async function openThrottles (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, throttles } = repositories
  return {
    ...repositories,
    /** As a request does, each in its own transaction. */
    count: async (counter: Counter, most?: number) => await db.transaction().execute(async (tx) => await throttles.count(tx, counter, most)),
    fail: async (counters: Counter[]) => { await throttles.countFailure(counters, CONTEXT, async () => {}) },
    keysStored: async () => (await throttles.list({}, {})).map(({ key }) => key)
  }
}

const counter = (rule: RuleName, key = 'key'): Counter => ({ key, rule: RULES[rule] })

for (const engine of stores) {
  t.test(engine.name, async (t) => {
    t.test('What is counted can be read, all at once', async (t) => {
      const { throttles, count, clock } = await openThrottles(t, engine)
      await count(counter('account', 'a'))
      clock.at += 7
      await count(counter('account', 'b'))
      await count(counter('account', 'b'))

      const states = await throttles.read(['a', 'nothing', 'b'])

      t.strictSame([...states].toSorted(), [['a', { failures: 1, anchoredAt: START }], ['b', { failures: 2, anchoredAt: START + 7 }]])
      t.equal((await throttles.read(['nothing'])).size, 0)
      t.equal((await throttles.read([])).size, 0)
    })

    t.test('The last one moves the wait and the end where the rule counts from there, and not where it counts from the first', async (t) => {
      const { throttles, count, clock } = await openThrottles(t, engine)
      await count(counter('account', 'last'))
      await count(counter('network', 'first'))
      clock.at += MINUTE - 1

      t.strictSame(await count(counter('account', 'last')), { failures: 2, anchoredAt: START + MINUTE - 1 })
      t.strictSame(await count(counter('network', 'first')), { failures: 2, anchoredAt: START })
      t.match(await throttles.list({}, {}), [{ key: 'first', expiresAt: START + MINUTE }, { key: 'last', expiresAt: START + MINUTE - 1 + HOUR }])
    })

    t.test('Of those who claim the same wait one gets it, and it begins anew', async (t) => {
      const { throttles, count, clock } = await openThrottles(t, engine)
      for (const key of ['a', 'b', 'b']) await count(counter('account', key))
      const claims = ['a', 'b'].map((key) => ({ ...counter('account', key), anchoredAt: START }))
      clock.at += MINUTE

      const wins = await Promise.all(Array.from({ length: 8 }, async () => await throttles.claim(claims)))

      t.strictSame(wins.toSorted(), [...Array(7).fill(false), true])
      t.strictSame([...await throttles.read(['a', 'b'])].toSorted(), [['a', { failures: 1, anchoredAt: START + MINUTE }], ['b', { failures: 2, anchoredAt: START + MINUTE }]])
      t.match(await throttles.list({}, {}), [{ key: 'a', expiresAt: START + MINUTE + HOUR }, { key: 'b', expiresAt: START + MINUTE + HOUR }])
      t.equal(await throttles.claim([{ ...counter('account', 'nothing'), anchoredAt: START }]), false)
    })

    t.test('Who finds one of two waits claimed claims none', async (t) => {
      const { throttles, count, clock } = await openThrottles(t, engine)
      for (const key of ['a', 'b']) await count(counter('account', key))
      const [first, second] = ['a', 'b'].map((key) => ({ ...counter('account', key), anchoredAt: START })) as [Claim, Claim]
      clock.at += MINUTE

      t.equal(await throttles.claim([second]), true)
      t.equal(await throttles.claim([first, second]), false)
      t.strictSame(await throttles.read(['a']), new Map([['a', { failures: 1, anchoredAt: START }]]))
    })

    t.test('A count is about the user as soon as one is known, and from then on', async (t) => {
      const { db, throttles, ada, count } = await openThrottles(t, engine)
      const { id: userId } = await ada()
      const usersOfCounts = async () => (await throttles.list({}, {})).map(({ userId }) => userId)

      await count(counter('account'))
      t.strictSame(await usersOfCounts(), [null])
      await count({ ...counter('account'), userId })
      t.strictSame(await usersOfCounts(), [userId])
      await count(counter('account'))
      t.strictSame(await usersOfCounts(), [userId])
      t.equal(await throttles.removeOfUser(db, userId), 1)
    })

    for (const rule of Object.values(RULES)) {
      t.test(`${rule.name}: what is forgotten begins anew`, async (t) => {
        const { throttles, count, clock } = await openThrottles(t, engine)
        await count(counter(rule.name))
        await count(counter(rule.name))

        clock.at += rule.forgetMs - 1
        t.equal((await count(counter(rule.name)))?.failures, 3)
        clock.at += rule.forgetMs
        t.strictSame(await count(counter(rule.name)), { failures: 1, anchoredAt: clock.at })
        t.match(await throttles.list({}, {}), [{ rule: rule.name, expiresAt: clock.at + rule.forgetMs }])
      })

      t.test(`${rule.name}: what comes from a far future, since the clock was set back, begins anew`, async (t) => {
        const { count, clock } = await openThrottles(t, engine)
        await count(counter(rule.name))

        clock.at -= rule.forgetMs - 1
        t.equal((await count(counter(rule.name)))?.failures, 2)
        clock.at -= rule.forgetMs
        t.strictSame(await count(counter(rule.name)), { failures: 1, anchoredAt: clock.at })
      })
    }

    t.test('Of 50 who count at once none is lost', async (t) => {
      const { count } = await openThrottles(t, engine)

      const states = await Promise.all(Array.from({ length: 50 }, async () => await count(counter('account'))))

      t.strictSame(states.map((state) => state?.failures ?? 0).toSorted((a, b) => a - b), Array.from({ length: 50 }, (_, index) => index + 1))
    })

    t.test('Of 50 who want one of three at once, three get it, and the others move nothing', async (t) => {
      const { throttles, count, clock } = await openThrottles(t, engine)

      const states = await Promise.all(Array.from({ length: 50 }, async () => await count(counter('mail_address'), 3)))
      clock.at += HOUR - 1
      const late = await count(counter('mail_address'), 3)

      t.equal(states.filter((state) => state !== undefined).length, 3)
      t.equal(late, undefined)
      t.strictSame((await throttles.read(['key'])).get('key'), { failures: 3, anchoredAt: START })
      clock.at += 1
      t.equal((await count(counter('mail_address'), 3))?.failures, 1)
    })

    t.test('The failure that reaches what is free is audited, once for each rule and with its user', async (t) => {
      const { ada, fail, events, throttles } = await openThrottles(t, engine)
      const { id: userId } = await ada()
      const counters = [{ ...counter('account', 'a'), userId }, { ...counter('account', 'b'), userId }, counter('network', 'c')]
      for (let failures = 1; failures < RULES.account.free; failures++) await fail(counters)
      t.same(await events('user_created'), [])

      await fail(counters)
      await fail(counters)

      t.same(await events('user_created'), [event('login_throttled', { ...FROM_REQUEST, outcome: 'failure', user_id: userId, details: '{"rule":"account"}' })])
      t.strictSame([...await throttles.read(['a', 'b', 'c'])].map(([, { failures }]) => failures), [21, 21, 21])
    })

    t.test('What is removed is gone, and no other', async (t) => {
      const { db, throttles, count, keysStored } = await openThrottles(t, engine)
      for (const key of ['a', 'b', 'c']) await count(counter('account', key))

      t.equal(await throttles.remove(db, []), 0)
      t.strictSame(await keysStored(), ['a', 'b', 'c'])
      t.equal(await throttles.remove(db, ['a', 'c', 'nothing']), 2)
      t.strictSame(await keysStored(), ['b'])
    })

    t.test('What is counted about a user is forgotten in every spelling, and nobody else\'s', async (t) => {
      const { db, users, throttles, throttleKeys, fail, keysStored } = await openThrottles(t, engine)
      const { id } = await users.create({ username: 'ada', email: 'Ada@example.com' }, {})
      const other = await users.create({ username: 'ben' }, {})
      const failAs = async (identifier: string, userId?: string) => { await fail(throttleKeys.ofApplicant({ identifier, userId, network: '192.0.2.1' })) }
      await failAs('ada', id)
      await failAs('ada@example.com', id)
      await failAs('ADA')
      await fail([throttleKeys.ofMailAddress('ada@example.com')])
      await failAs('ben', other.id)
      const kept = [...throttleKeys.ofApplicant({ identifier: 'ben', userId: other.id, network: '192.0.2.1' })].map(({ key }) => key)

      const forgotten = await throttles.forgetUser(db, id)

      const unknown = throttleKeys.ofApplicant({ identifier: 'ada', userId: undefined, network: '192.0.2.1' }).filter(({ isHidden }) => isHidden).map(({ key }) => key)
      t.strictSame(await keysStored(), [...kept, ...unknown].toSorted())
      t.equal(forgotten, 7)
    })
  })
}

for (const engine of engines) {
  t.test(`${engine.name}, with the act`, async (t) => {
    t.test('What is counted is undone with the act, and a transaction sees its own', async (t) => {
      const { db, throttles, keysStored } = await openThrottles(t, engine)

      await t.rejects(db.transaction().execute(async (tx) => {
        await throttles.count(tx, counter('account'))
        t.match(await throttles.find(tx, 'key'), { failures: 1, anchoredAt: START })
        t.equal(await throttles.find(tx, 'nothing'), undefined)
        throw new Error('changed my mind')
      }))

      t.strictSame(await keysStored(), [])
    })

    t.test('A failure that can not be recorded is not counted', async (t) => {
      const { throttles, keysStored } = await openThrottles(t, engine)

      await t.rejects(throttles.countFailure([counter('account')], {}, async () => { throw new Error('disk full') }), { message: 'disk full' })

      t.strictSame(await keysStored(), [])
    })

    t.test('A wait that can not be claimed is an error', async (t) => {
      const { db, throttles } = await openThrottles(t, engine)
      await db.schema.dropTable('throttles').execute()

      await t.rejects(throttles.claim([{ ...counter('account'), anchoredAt: START }]), { message: /throttles/ })
    })

    t.test('A user who is gone meanwhile prevents no count', async (t) => {
      const { db, ada, accounts, count } = await openThrottles(t, engine)
      const { id: userId } = await ada()
      await count({ ...counter('account', 'before'), userId })
      await accounts.remove(userId, {})

      await count({ ...counter('account', 'after'), userId })

      t.strictSame(await db.selectFrom('throttles').select(['key', 'user_id']).execute(), [{ key: 'after', user_id: null }])
    })
  })
}
