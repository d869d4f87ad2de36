import t from 'tap'
import type { Env } from '../../helper.ts'
import { countedAt, startRedis } from '../../redis.ts'

interface Place {
  name: string
  /** Settings with which nobody else's counts are seen. */
  env: () => Env
}

const redis = await startRedis(t)

/** Where failures are counted. */
export const places: readonly Place[] = [
  { name: 'in the database', env: () => ({}) },
  ...redis === undefined ? [] : [{ name: 'in Redis', env: () => countedAt(redis) }]
]
