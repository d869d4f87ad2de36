import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { findFreePort } from '../bench/free-port.ts'
import { parseRedisUrl, type RedisConfig } from '../lib/config-redis.ts'
import { createRedisLink, type RedisLink } from '../lib/redis/link.ts'
import { PROBE } from '../lib/redis/throttle-scripts.ts'
import { canRun, temporaryDirectory, type Env } from './helper.ts'

const PROGRAM = 'redis-server'

/** A Redis of the test's own, which may do anything to it. It forgets everything when it stops. */
export interface RedisServer {
  url: string
  /** Asks it past the service. */
  client: Redis
  start: () => Promise<void>
  stop: () => Promise<void>
  signal: (signal: NodeJS.Signals) => void
}

/** Undefined, and a visible line, where Redis is not installed. */
export async function startRedis (t: Test, ...options: string[]): Promise<RedisServer | undefined> {
  if (!canRun(t, PROGRAM, spawnSync(PROGRAM, ['--version']).status === 0)) return undefined
  const port = await findFreePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', temporaryDirectory(t), '--save', '', ...options]
  let running: ChildProcess | undefined

  // Reconnects by itself, and waits for that.
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})

  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    client,
    async start () {
      running = spawn(PROGRAM, args, { stdio: 'ignore' })
      await client.ping()
    },
    async stop () {
      if (running === undefined) return
      const ended = once(running, 'close')
      running.kill('SIGKILL')
      running = undefined
      await ended
    },
    signal: (signal) => { running?.kill(signal) }
  }
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  await server.start()
  return server
}

/** Settings with which a service counts there, and has nothing to do with others that do. */
export function countedAt ({ url }: RedisServer): Env {
  return { REDIS_URL: url, LATCHKEY_SECRET: randomBytes(32).toString('base64url') }
}

/** A link with keys of its own, which has been started, and what happened to it: `there`, or why it is away. */
export async function openLink (t: Test, url: string, { now = Date.now, prefix = `${randomUUID()}:` } = {}): Promise<{ link: RedisLink, turns: string[] }> {
  const turns: string[] = []
  const link = createRedisLink(parseRedisUrl(url, []) as RedisConfig, {
    prefix,
    probe: async (redis) => await redis.eval(PROBE, 1, prefix, now()),
    onThere: () => { turns.push('there') },
    onAway: (reason) => { turns.push(reason) }
  })
  t.teardown(link.stop)
  await link.start()
  return { link, turns }
}
