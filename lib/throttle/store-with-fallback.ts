import { RedisAwayError } from '../redis/redis-away-error.ts'
import type { ThrottleStore } from './store.ts'

type Work<Result> = (store: ThrottleStore) => Promise<Result>

/**
 * The counters in Redis, and in the database while Redis is away: never nowhere. Each counts by itself, so that when it
 * goes or comes back, what is free is free once more. What is forgotten is forgotten in both.
 */
export function withFallback (inRedis: ThrottleStore, inDatabase: ThrottleStore): ThrottleStore {
  async function ifThere<Result, Otherwise> (work: Work<Result>, otherwise: () => Otherwise | Promise<Otherwise>): Promise<Result | Otherwise> {
    try {
      return await work(inRedis)
    } catch (error) {
      if (error instanceof RedisAwayError) return await otherwise()
      throw error
    }
  }

  const either = async <Result>(work: Work<Result>): Promise<Result> => await ifThere(work, async () => await work(inDatabase))

  const both = async (remove: Work<number>): Promise<number> => await remove(inDatabase) + await ifThere(remove, () => 0)

  return {
    read: async (keys) => await either(async (store) => await store.read(keys)),
    find: async (tx, key) => await either(async (store) => await store.find(tx, key)),
    count: async (tx, counters, most) => await either(async (store) => await store.count(tx, counters, most)),
    countAhead: async (counters) => await either(async (store) => await store.countAhead(counters)),
    claim: async (claims) => await either(async (store) => await store.claim(claims)),
    list: async (filter, page) => await either(async (store) => await store.list(filter, page)),
    remove: async (tx, keys) => await both(async (store) => await store.remove(tx, keys)),
    removeOfUser: async (tx, userId) => await both(async (store) => await store.removeOfUser(tx, userId)),
    removeOfNetwork: async (tx, network) => await both(async (store) => await store.removeOfNetwork(tx, network)),
    removeAll: async (tx) => await both(async (store) => await store.removeAll(tx))
  }
}
