import t from 'tap'
import { loadConfig } from '../../lib/config.ts'
import type { RedisConfig } from '../../lib/config-redis.ts'
import { problemsOf } from '../helper.ts'

const LOCAL: RedisConfig = { host: 'redis', port: 6379, username: undefined, password: undefined, database: 0, isEncrypted: false }

const servers: Array<{ value: string, config: Partial<RedisConfig> }> = [
  { value: 'redis://redis', config: {} },
  { value: 'redis://redis/', config: {} },
  { value: 'redis://redis:6380/2', config: { port: 6380, database: 2 } },
  { value: 'redis://:p%40ss@redis', config: { password: 'p@ss' } },
  { value: 'rediss://latchkey:p%3Aass@redis', config: { username: 'latchkey', password: 'p:ass', isEncrypted: true } },
  { value: 'redis://[::1]:6380', config: { host: '::1', port: 6380 } }
]
for (const { value, config } of servers) {
  t.test(`${value} is a server`, async (t) => {
    t.strictSame(loadConfig({ REDIS_URL: value }).redis, { ...LOCAL, ...config })
  })
}

const refused = [
  'redis', 'redis:6379', 'redis://', 'redis:///0', 'http://redis', 'redis://redis:port', 'redis://redis/name', 'redis://redis/-1', 'redis://redis/123456',
  'redis://redis/0/1', 'redis://redis?enableOfflineQueue=true', 'redis://redis#fragment', 'redis://:%ff@redis', 'redis://:%@redis', 'redis+sentinel://redis'
]
for (const value of refused) {
  t.test(`${value} is refused, and not shown`, async (t) => {
    t.strictSame(problemsOf({ REDIS_URL: value }), ['REDIS_URL must be redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS'])
  })
}
