import t, { type Test } from 'tap'
import { createDatabaseThrottles } from '../../../lib/database/throttle-store.ts'
import type { RedisLink } from '../../../lib/redis/link.ts'
import { RedisAwayError } from '../../../lib/redis/redis-away-error.ts'
import { createRedisThrottles } from '../../../lib/redis/throttle-store.ts'
import { RULES } from '../../../lib/throttle/rules.ts'
import { withFallback } from '../../../lib/throttle/store-with-fallback.ts'
import type { ThrottleStore } from '../../../lib/throttle/store.ts'
import { sqlite } from '../../contract/engines.ts'
import { openLink, startRedis } from '../../redis.ts'

const COUNTER = { key: 'key', rule: RULES.account_network, network: '192.0.2.1' }
const NOW = { now: () => Date.UTC(2030, 0, 1) }

/** Both stores, and a fault that everybody gets who asks Redis. */
async function open (t: Test, url: string) {
  const { close, ...database } = await sqlite.open(t)
  t.teardown(close)
  const { link } = await openLink(t, url)
  const state: { fault: Error | undefined } = { fault: undefined }
  const ask: RedisLink['ask'] = async (send) => {
    if (state.fault !== undefined) throw state.fault
    return await link.ask(send)
  }
  const inDatabase = createDatabaseThrottles(database, NOW)
  const inRedis = createRedisThrottles({ ...link, ask }, NOW)
  return { db: database.db, inDatabase, inRedis, state, store: withFallback(inRedis, inDatabase) }
}

const failuresIn = async (store: ThrottleStore): Promise<number | undefined> => (await store.read(['key'])).get('key')?.failures

const forgets: Array<{ name: string, forget: (store: ThrottleStore, ...args: Parameters<ThrottleStore['removeAll']>) => Promise<number>, count: number }> = [
  { name: 'by key', forget: async (store, tx) => await store.remove(tx, ['key']), count: 1 },
  { name: 'by network', forget: async (store, tx) => await store.removeOfNetwork(tx, '192.0.2.1'), count: 1 },
  { name: 'by user', forget: async (store, tx) => await store.removeOfUser(tx, 'nobody'), count: 0 },
  { name: 'all of it', forget: async (store, tx) => await store.removeAll(tx), count: 1 }
]

const redis = await startRedis(t)
if (redis !== undefined) {
  t.test('While Redis is there the database is not asked', async (t) => {
    const { db, store, inRedis, inDatabase } = await open(t, redis.url)

    t.match(await store.countAhead([COUNTER]), [{ failures: 1 }])
    t.match(await store.count(db, [COUNTER]), [{ failures: 2 }])

    t.strictSame([await failuresIn(store), await failuresIn(inRedis), await failuresIn(inDatabase)], [2, 2, undefined])
    t.match(await store.find(db, 'key'), { failures: 2 })
    t.match(await store.list({}, {}), [{ failures: 2 }])
  })

  t.test('While it is away the database counts, in the transaction', async (t) => {
    const { db, store, state, inDatabase } = await open(t, redis.url)
    state.fault = new RedisAwayError()

    t.equal(await store.countAhead([COUNTER]), undefined)
    t.match(await store.count(db, [COUNTER], 1), [{ failures: 1 }])
    t.strictSame(await store.count(db, [COUNTER], 1), [undefined])

    t.strictSame([await failuresIn(store), await failuresIn(inDatabase)], [1, 1])
    t.match(await store.find(db, 'key'), { failures: 1 })
    t.match(await store.list({}, {}), [{ failures: 1 }])
  })

  for (const { name, forget, count } of forgets) {
    t.test(`What is forgotten ${name} is forgotten in both, and in the database while Redis is away`, async (t) => {
      const { db, store, state, inRedis, inDatabase } = await open(t, redis.url)
      const countInBoth = async (): Promise<void> => { await Promise.all([inRedis.count(db, [COUNTER]), inDatabase.count(db, [COUNTER])]) }
      await countInBoth()

      t.equal(await forget(store, db), 2 * count)
      t.strictSame([await failuresIn(inRedis), await failuresIn(inDatabase)], count === 0 ? [1, 1] : [undefined, undefined])

      await countInBoth()
      state.fault = new RedisAwayError()
      t.equal(await forget(store, db), count)
    })
  }

  t.test('A mistake of ours is not hidden', async (t) => {
    const { store, state } = await open(t, redis.url)
    state.fault = new TypeError('a mistake')

    await t.rejects(store.read(['key']), state.fault)
  })
}
