import t from 'tap'
import { createRedisThrottles } from '../../lib/redis/throttle-store.ts'
import { openLink, startRedis, type RedisServer } from '../redis.ts'
import { engines, sqlite, type Engine } from './engines.ts'

function redisAt ({ url }: RedisServer): Engine {
  return {
    name: 'redis',
    async open (t) {
      const { link } = await openLink(t, url)
      return { ...await sqlite.open(t), openThrottles: (clock) => createRedisThrottles(link, clock) }
    }
  }
}

const redis = await startRedis(t)

/** All that keep counters, and that are there. */
export const stores: readonly Engine[] = redis === undefined ? engines : [...engines, redisAt(redis)]
