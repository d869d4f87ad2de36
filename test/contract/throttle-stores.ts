import { randomUUID } from 'node:crypto'
import t from 'tap'
import { parseRedisUrl } from '../../lib/config-redis.ts'
import { createRedisLink } from '../../lib/redis/link.ts'
import { createRedisThrottles } from '../../lib/redis/throttle-store.ts'
import { startRedis, type RedisServer } from '../redis.ts'
import { engines, sqlite, type Engine } from './engines.ts'

function redisAt ({ url }: RedisServer): Engine {
  return {
    name: 'redis',
    async open (t) {
      const link = createRedisLink(parseRedisUrl(url, []) as NonNullable<ReturnType<typeof parseRedisUrl>>, { prefix: `${randomUUID()}:`, onThere: () => {}, onAway: () => {} })
      t.teardown(link.stop)
      await link.start()
      return { ...await sqlite.open(t), openThrottles: (clock) => createRedisThrottles(link, clock) }
    }
  }
}

const redis = await startRedis(t)

/** All that keep counters, and that are there. */
export const stores: readonly Engine[] = redis === undefined ? engines : [...engines, redisAt(redis)]
