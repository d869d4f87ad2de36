import fp from 'fastify-plugin'
import { createDatabaseThrottles } from '../../lib/database/throttle-store.ts'
import { createRedisThrottles } from '../../lib/redis/throttle-store.ts'
import type { Counter, ThrottleKeys } from '../../lib/throttle/keys.ts'
import type { RuleName } from '../../lib/throttle/rules.ts'
import { withFallback } from '../../lib/throttle/store-with-fallback.ts'
import type { Counted, ThrottleStore } from '../../lib/throttle/store.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'

/** The counters of all rules, which are in the database or in Redis. */
export interface Throttles extends Omit<ThrottleStore, 'count' | 'countAhead'> {
  /**
   * Counts one more in one step, and resolves to the state after that. With `most` it resolves to undefined, and
   * nothing is counted, if that many are counted already.
   */
  count (tx: Db, counter: Counter, most?: number): Promise<Counted>
  /**
   * Counts a failure at each of them, and records it in a transaction. What is counted in the database is counted in the same one;
   * what is counted in Redis stays counted if it can't be recorded. When a rule begins to hold somebody up by it, that is audited.
   */
  countFailure (counters: readonly Counter[], context: AuditContext, record: (tx: Db) => Promise<void>): Promise<void>
  /** Removes all that is counted about the user, from everywhere and in every spelling; resolves to how many there were. */
  forgetUser (tx: Db, userId: string): Promise<number>
}

declare module 'fastify' {
  interface FastifyInstance {
    throttles: Throttles
  }
}

interface Parts {
  db: Db
  audit: Audit
  throttleKeys: ThrottleKeys
  store: ThrottleStore
}

export function createThrottles ({ db, audit, throttleKeys, store }: Parts): Throttles {
  async function auditReached (tx: Db, counters: readonly Counter[], states: readonly Counted[], context: AuditContext): Promise<void> {
    const reached = new Map<RuleName, Counter>()
    counters.forEach((counter, index) => {
      if (states[index]?.failures === counter.rule.free) reached.set(counter.rule.name, counter)
    })
    for (const [rule, { userId }] of reached) {
      await audit.record(tx, { type: 'login_throttled', outcome: 'failure', ...userId !== undefined && { userId }, details: { rule } }, context)
    }
  }

  return {
    ...store,

    async count (tx, counter, most) {
      const [state] = await store.count(tx, [counter], most)
      return state
    },

    async countFailure (counters, context, record) {
      const ahead = await store.countAhead(counters)
      await db.transaction().execute(async (tx) => {
        await record(tx)
        await auditReached(tx, counters, ahead ?? await store.count(tx, counters), context)
      })
    },

    async remove (tx, keys) {
      return keys.length > 0 ? await store.remove(tx, keys) : 0
    },

    async forgetUser (tx, userId) {
      const names = await tx.selectFrom('users').select(['username', 'email_key']).where('id', '=', userId).executeTakeFirstOrThrow()
      return await store.removeOfUser(tx, userId) + await store.remove(tx, throttleKeys.ofNames(names))
    }
  }
}

export default fp(async (fastify) => {
  const { audit, clock, db, prepareRead, redis, throttleKeys } = fastify
  const now = { now: () => clock.now() }
  const inDatabase = createDatabaseThrottles({ db, prepareRead }, now)
  const store = redis === undefined ? inDatabase : withFallback(createRedisThrottles(redis, now), inDatabase)
  fastify.decorate('throttles', createThrottles({ db, audit, throttleKeys, store }))
}, { name: 'throttles', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'redis', 'throttle-keys'] })
