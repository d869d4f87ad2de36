import t, { type Test } from 'tap'
import type { Db } from '../../../lib/database/database.ts'
import { createRedisThrottles } from '../../../lib/redis/throttle-store.ts'
import { createThrottleKeys, type Counter } from '../../../lib/throttle/keys.ts'
import { RULES, type RuleName } from '../../../lib/throttle/rules.ts'
import { createVault } from '../../../lib/vault.ts'
import { SECRET } from '../../helper.ts'
import { openLink, startRedis } from '../../redis.ts'

const START = Date.UTC(2030, 0, 1)
const HOUR = 60 * 60 * 1000
const NO_TRANSACTION = undefined as unknown as Db
const MANY = 1200

const server = await startRedis(t)
if (server !== undefined) {
  const { url, client } = server

  async function open (t: Test) {
    const clock = { at: START, now: () => clock.at }
    const { link } = await openLink(t, url, clock)
    const { prefix } = link
    const store = createRedisThrottles(link, clock)
    return {
      prefix,
      clock,
      store,
      count: async (...counters: Counter[]) => await store.count(NO_TRANSACTION, counters),
      countMany: async (prefixOfKeys = 'key') => await store.countAhead(Array.from({ length: MANY }, (_, index) => counter('account', `${prefixOfKeys}${index}`))),
      keys: async () => (await client.keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).filter((key) => key !== 'probe').toSorted(),
      sizes: async () => await Promise.all(['keys', 'expiries'].map(async (index) => await client.zcard(`${prefix}${index}`)))
    }
  }

  const counter = (rule: RuleName, key = 'key', about: Pick<Counter, 'userId' | 'network'> = {}): Counter => ({ key, rule: RULES[rule], ...about })

  t.test('Nothing is kept for ever: all of it goes by itself, and no index before what it leads to', async (t) => {
    const { prefix, count, keys } = await open(t)

    await count(counter('account_network', 'a', { userId: 'ada', network: '192.0.2.1' }), counter('network', 'b', { network: '192.0.2.1' }))

    t.strictSame(await keys(), ['counter:a', 'counter:b', 'expiries', 'keys', 'network:192.0.2.1', 'user:ada'])
    for (const key of await keys()) {
      const left = await client.pttl(`${prefix}${key}`)
      t.ok(left > HOUR && left <= 3 * HOUR, `${key} is kept for ${left} ms`)
    }
  })

  t.test('What people type, and keys of others, are no part of a key', async (t) => {
    const { count, keys } = await open(t)
    const throttleKeys = createThrottleKeys(createVault([SECRET]).pseudonym)
    const hostile = ['*', 'ada\r\nFLUSHALL\r\n', 'a:b', 'user:ada', '{tag}', '\0', '"] }, ']
    for (const identifier of hostile) await count(...throttleKeys.ofApplicant({ identifier, userId: undefined, network: '192.0.2.1' }))

    t.ok((await keys()).every((key) => /^(?:counter:[\w-]{43}|keys|expiries|network:192\.0\.2\.1)$/.test(key)))
  })

  t.test('A counter that is there for ever is forgotten when it should be', async (t) => {
    const { prefix, clock, store, count } = await open(t)
    await count(counter('mail_address'), counter('mail_address'))
    await client.persist(`${prefix}counter:key`)

    clock.at += RULES.mail_address.forgetMs

    t.strictSame(await store.list({}, {}), [])
    t.strictSame(await count(counter('mail_address')), [{ failures: 1, anchoredAt: clock.at }])
  })

  t.test('What is forgotten goes a few at a time, with all that leads to it, while others are counted', async (t) => {
    const { clock, count, countMany, keys, sizes } = await open(t)
    await countMany()
    await count(counter('network', 'other', { userId: 'ada', network: '192.0.2.1' }))
    clock.at += HOUR

    await count(counter('account', 'new'))
    t.strictSame(await sizes(), [MANY - 8, MANY - 8])
    for (let index = 0; index < MANY / 10; index++) await count(counter('account', 'new'))

    t.strictSame(await sizes(), [1, 1])
    t.strictSame(await keys(), ['counter:new', 'expiries', 'keys'])
  })

  t.test('What is forgotten begins anew, though it is not its turn to go', async (t) => {
    const { clock, count, countMany } = await open(t)
    await countMany()
    clock.at += HOUR

    t.strictSame(await count(counter('account', 'key999')), [{ failures: 1, anchoredAt: clock.at }])
  })

  t.test('While Redis is full, what is forgotten goes too', async (t) => {
    const { prefix, clock, countMany, sizes } = await open(t)
    await countMany()
    clock.at += HOUR
    await client.config('SET', 'maxmemory', '1')
    t.teardown(async () => { await client.config('SET', 'maxmemory', '0') })

    await openLink(t, url, { ...clock, prefix })

    t.strictSame(await sizes(), [MANY - 500, MANY - 500])
  })

  t.test('Counters that are counted on and on stay as many', async (t) => {
    const { clock, countMany, sizes } = await open(t)

    for (let round = 0; round < 6; round++) {
      await countMany(`round${round % 3}-`)
      clock.at += HOUR
    }

    t.strictSame(await sizes(), [MANY, MANY])
  })

  t.test('A counter follows the user whom it is about', async (t) => {
    const { prefix, store, count, keys } = await open(t)
    const ofUser = async (userId: string) => (await store.list({ userId }, {})).map(({ key }) => key)

    await count(counter('account'))
    await count(counter('account', 'key', { userId: 'ada' }))
    await client.pexpire(`${prefix}user:ada`, HOUR)
    await count(counter('account'))
    t.strictSame(await ofUser('ada'), ['key'])
    t.ok(await client.pttl(`${prefix}user:ada`) > HOUR, 'and is found as long as it is counted')
    await count(counter('account', 'key', { userId: 'ben' }))

    t.strictSame([await ofUser('ada'), await ofUser('ben')], [[], ['key']])
    t.match(await store.find(NO_TRANSACTION, 'key'), { userId: 'ben', failures: 4 })
    t.strictSame(await keys(), ['counter:key', 'expiries', 'keys', 'user:ben'])
  })

  t.test('Pages go on where the one before ended, past what is forgotten', async (t) => {
    const { clock, store, countMany, count } = await open(t)
    await countMany()
    clock.at += HOUR
    await count(counter('account', 'zeta'), counter('account', 'eta'))
    await countMany('alive')

    const all = await store.list({}, {})
    const first = await store.list({}, { limit: 700 })
    const second = await store.list({}, { limit: 700, after: first.at(-1)?.key ?? '' })

    t.equal(all.length, MANY + 2)
    t.strictSame(all.map(({ key }) => key), all.map(({ key }) => key).toSorted())
    t.strictSame([first.length, second.length], [700, MANY + 2 - 700])
    t.strictSame([...first, ...second], all)
  })

  t.test('Of many all are removed', async (t) => {
    const { store, countMany, count, keys } = await open(t)
    await countMany()
    await count(counter('account', 'her', { userId: 'ada', network: '192.0.2.1' }))

    t.equal(await store.removeAll(NO_TRANSACTION), MANY + 1)

    t.strictSame(await keys(), [])
  })

  t.test('What Redis has thrown away by itself is in nobody\'s way', async (t) => {
    const { prefix, store, count, keys } = await open(t)
    await count(counter('account', 'a', { userId: 'ada' }), counter('account', 'b', { userId: 'ada' }))
    await client.del(`${prefix}counter:a`)

    t.strictSame((await store.list({ userId: 'ada' }, {})).map(({ key }) => key), ['b'])
    t.equal((await store.read(['a', 'b'])).size, 1)
    t.equal(await store.removeOfUser(NO_TRANSACTION, 'ada'), 1)
    t.strictSame(await keys(), [])
  })
}
