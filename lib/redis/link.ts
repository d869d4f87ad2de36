import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { RedisConfig } from '../config-redis.ts'
import { RedisAwayError } from './redis-away-error.ts'
import { within } from './within.ts'

/** The longest wait for a connection that can be used, and for one answer, in milliseconds. */
const CONNECT_MS = 500
const ANSWER_MS = 250
/** After a failure it is left alone for so long, in milliseconds. */
const ALONE_MS = 1000

/** A connection to Redis, which may be away at any time. Nobody waits for it to come back. */
export interface RedisLink {
  /** What all keys begin with. */
  readonly prefix: string
  readonly isAway: boolean
  /**
   * Asks in one round trip.
   *
   * @throws RedisAwayError at once while it is away, and otherwise when it fails or is late
   */
  ask<Result> (send: (redis: Redis) => Promise<Result>): Promise<Result>
  /** Resolves when it can be asked, or when the first attempt has failed. */
  start (): Promise<void>
  stop (): Promise<void>
}

interface Options {
  prefix: string
  /** Fails if it can't be used though it answers. */
  probe: (redis: Redis) => Promise<unknown>
  /** Told when it can be asked. */
  onThere: () => void
  /** Told when it can't, or can't any more; once, whatever happens until it is there. */
  onAway: (reason: string) => void
}

interface Connection {
  redis: Redis
  isUsable: boolean
  lose: (reason: string) => void
}

export function createRedisLink (server: RedisConfig, { prefix, probe, onThere, onAway }: Options): RedisLink {
  const stopping = new AbortController()
  let current: Connection | undefined
  let wasThere: boolean | undefined
  let running: Promise<void> | undefined

  function tell (isThere: boolean, report: () => void): void {
    if (isThere !== wasThere && !stopping.signal.aborted) report()
    wasThere = isThere
  }

  async function connect (redis: Redis): Promise<void> {
    await within(CONNECT_MS, redis.connect())
    await within(ANSWER_MS, probe(redis))
  }

  /** Resolves to the reason when there is no connection that can be used, or no longer one. */
  async function hold (onUsable: () => void): Promise<string> {
    const redis = new Redis(optionsOf(server))
    const { promise: lost, resolve: lose } = Promise.withResolvers<string>()
    const connection = { redis, isUsable: false, lose }
    current = connection
    redis.on('error', ({ message }: Error) => { lose(message) })
    redis.on('close', () => { lose('the connection ended') })

    connect(redis).then(() => {
      connection.isUsable = true
      onUsable()
    }, (error: Error) => { lose(error.message) })
    const reason = await lost
    current = undefined
    redis.disconnect()
    return reason
  }

  async function run (onAttempt: () => void): Promise<void> {
    while (!stopping.signal.aborted) {
      const reason = await hold(() => {
        tell(true, onThere)
        onAttempt()
      })
      tell(false, () => { onAway(reason) })
      onAttempt()
      await pause(ALONE_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  return {
    prefix,

    get isAway () { return current?.isUsable !== true },

    async ask (send) {
      const asked = current
      if (asked?.isUsable !== true) throw new RedisAwayError()
      try {
        return await within(ANSWER_MS, send(asked.redis))
      } catch (cause) {
        // Nothing but the message: the client puts the command beside it.
        asked.lose((cause as Error).message)
        throw new RedisAwayError({ cause })
      }
    },

    async start () {
      const { promise, resolve } = Promise.withResolvers<void>()
      running = run(resolve)
      await promise
    },

    async stop () {
      stopping.abort()
      current?.lose('stopping')
      await running
    }
  }
}

function optionsOf ({ host, port, username, password, database, isEncrypted }: RedisConfig) {
  return {
    host,
    port,
    ...username !== undefined && { username },
    ...password !== undefined && { password },
    db: database,
    ...isEncrypted && { tls: {} },
    protocol: 2 as const,
    connectionName: 'latchkey',
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null
  }
}
