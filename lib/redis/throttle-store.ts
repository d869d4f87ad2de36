import type { Redis } from 'ioredis'
import type { Counter } from '../throttle/keys.ts'
import type { RuleName } from '../throttle/rules.ts'
import type { Counted, StoredThrottle, ThrottleStore } from '../throttle/store.ts'
import type { RedisLink } from './link.ts'
import { CLAIM, COUNT, REMOVE_KEYS, REMOVE_SOME } from './throttle-scripts.ts'

/** As many are looked at or removed in one step: others wait for it. */
const BATCH = 500

const FIELDS = ['rule', 'user', 'network', 'failures', 'anchored_at', 'expires_at']

/** The counters in Redis. No call takes part in a transaction, and each throws RedisAwayError while Redis is away. */
export function createRedisThrottles ({ prefix, ask }: RedisLink, { now }: { now: () => number }): ThrottleStore {
  const run = async <Reply>(script: string, ...args: Array<string | number>): Promise<Reply> =>
    await ask(async (redis) => await redis.eval(script, 1, prefix, ...args) as Reply)

  async function count (counters: readonly Counter[], most: number): Promise<Counted[]> {
    const at = now()
    const replies = await run<Array<[number, string] | null>>(COUNT, JSON.stringify(counters.map((counter) => toArgument(counter, at))), at, most)
    return replies.map((reply) => reply === null ? undefined : { failures: reply[0], anchoredAt: Number(reply[1]) })
  }

  /** Those that are there. */
  async function readAll (keys: readonly string[]): Promise<StoredThrottle[]> {
    const rows = await ask(async (redis) => await Promise.all(keys.map(async (key) => await readOne(redis, key))))
    return rows.filter((row) => row !== undefined)
  }

  async function readOne (redis: Redis, key: string): Promise<StoredThrottle | undefined> {
    const [rule, userId = null, network = null, failures, anchoredAt, expiresAt] = await redis.hmget(`${prefix}counter:${key}`, ...FIELDS)
    if (failures === null || failures === undefined) return undefined
    return { key, rule: rule as RuleName, userId, network, failures: Number(failures), anchoredAt: Number(anchoredAt), expiresAt: Number(expiresAt) }
  }

  async function removeIndexed (index: string): Promise<number> {
    let all = 0
    for (let isOver = false; !isOver;) {
      const [removed, looked] = await run<[number, number]>(REMOVE_SOME, index, BATCH)
      all += removed
      isOver = looked < BATCH
    }
    return all
  }

  return {
    async read (keys) {
      return new Map((await readAll(keys)).map(({ key, failures, anchoredAt }) => [key, { failures, anchoredAt }]))
    },

    find: async (_tx, key) => (await readAll([key]))[0],
    count: async (_tx, counters, most = Number.MAX_SAFE_INTEGER) => await count(counters, most),
    countAhead: async (counters) => await count(counters, Number.MAX_SAFE_INTEGER),

    async claim (claims) {
      const at = now()
      const seen = claims.map(({ key, rule, anchoredAt }) => ({ key, anchored_at: String(anchoredAt), expires_at: String(at + rule.forgetMs) }))
      return await run(CLAIM, JSON.stringify(seen), at) === 1
    },

    async list ({ userId }, { limit = Infinity, after }) {
      const index = userId === undefined ? `${prefix}keys` : `${prefix}user:${userId}`
      const found: StoredThrottle[] = []
      let from = after
      do {
        const start = from === undefined ? '-' : `(${from}`
        const keys = await ask(async (redis) => await redis.zrangebylex(index, start, '+', 'LIMIT', 0, BATCH))
        found.push(...(await readAll(keys)).filter(({ expiresAt }) => expiresAt > now()))
        from = keys.length < BATCH ? undefined : keys.at(-1)
      } while (from !== undefined && found.length < limit)
      return found.slice(0, limit)
    },

    remove: async (_tx, keys) => await run(REMOVE_KEYS, ...keys),
    removeOfUser: async (_tx, userId) => await removeIndexed(`user:${userId}`),
    removeOfNetwork: async (_tx, network) => await removeIndexed(`network:${network}`),
    removeAll: async () => await removeIndexed('keys')
  }
}

function toArgument ({ key, rule, userId, network }: Counter, at: number) {
  return { key, rule: rule.name, anchor: rule.anchor, expires_at: String(at + rule.forgetMs), user: userId, network }
}
