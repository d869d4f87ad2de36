import fp from 'fastify-plugin'
import { notFound } from '../../lib/errors.ts'
import type { CountedThrottle } from '../../lib/throttle/counted.ts'
import { RULES, waitMs } from '../../lib/throttle/rules.ts'
import type { StoredThrottle } from '../../lib/throttle/store.ts'
import type { ChangeGuard } from './accounts.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { Throttles } from './throttles.ts'

/** What operators see of the counters, and how they set them back, which is audited. */
export interface ThrottleAdministration {
  /** What counts now, by id, from the one that follows `after`. */
  list (filter: { userId?: string }, page?: { limit?: number, after?: string }): Promise<CountedThrottle[]>
  /**
   * @param guard makes the guard for a count that is about a user
   * @throws PublicError `not_found` (404)
   */
  clear (id: string, context: AuditContext, guard: (userId: string) => ChangeGuard): Promise<void>
  /** Clears all that is counted about the user; resolves to how many counts there were. */
  clearUser (userId: string, context: AuditContext, guard?: ChangeGuard): Promise<number>
  /** Clears all that is counted of the network. */
  clearNetwork (network: string, context: AuditContext): Promise<number>
  clearAll (context: AuditContext): Promise<number>
}

declare module 'fastify' {
  interface FastifyInstance {
    throttleAdministration: ThrottleAdministration
  }
}

interface Parts {
  db: Db
  audit: Audit
  throttles: Throttles
}

export function createThrottleAdministration ({ db, audit, throttles }: Parts, { now }: { now: () => number }): ThrottleAdministration {
  async function record (tx: Db, userId: string | null, details: Record<string, string | number>, context: AuditContext): Promise<void> {
    await audit.record(tx, { type: 'throttles_cleared', outcome: 'success', ...userId !== null && { userId }, details }, context)
  }

  return {
    async list (filter, page = {}) {
      const counts = await throttles.list(filter, page)
      const usernames = await findUsernames(db, counts.flatMap(({ userId }) => userId ?? []))
      return counts.map((count) => toCountedThrottle(count, usernames, now()))
    },

    async clear (id, context, guard) {
      await db.transaction().execute(async (tx) => {
        const found = await throttles.find(tx, id)
        if (found === undefined) throw notFound()
        const { rule, userId, network } = found
        if (userId !== null) await guard(userId)(tx)
        if (await throttles.remove(tx, [id]) === 0) throw notFound()
        await record(tx, userId, { rule, ...network !== null && { network } }, context)
      })
    },

    async clearUser (userId, context, guard) {
      return await db.transaction().execute(async (tx) => {
        await guard?.(tx)
        const cleared = await throttles.forgetUser(tx, userId)
        await record(tx, userId, { throttles: cleared }, context)
        return cleared
      })
    },

    async clearNetwork (network, context) {
      return await db.transaction().execute(async (tx) => {
        const cleared = await throttles.removeOfNetwork(tx, network)
        await record(tx, null, { network, throttles: cleared }, context)
        return cleared
      })
    },

    async clearAll (context) {
      return await db.transaction().execute(async (tx) => {
        const cleared = await throttles.removeAll(tx)
        await record(tx, null, { throttles: cleared }, context)
        return cleared
      })
    }
  }
}

// Databases bound the parameters of a statement.
const READ_AT_A_TIME = 1000

async function findUsernames (db: Db, userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(userIds)]
  const usernames = new Map<string, string>()
  for (let start = 0; start < wanted.length; start += READ_AT_A_TIME) {
    const rows = await db.selectFrom('users').select(['id', 'username']).where('id', 'in', wanted.slice(start, start + READ_AT_A_TIME)).execute()
    for (const { id, username } of rows) usernames.set(id, username)
  }
  return usernames
}

function toCountedThrottle ({ key, rule, userId, network, failures, anchoredAt, expiresAt }: StoredThrottle, usernames: ReadonlyMap<string, string>, now: number): CountedThrottle {
  const wait = waitMs(RULES[rule], { failures, anchoredAt }, now)
  return { id: key, rule, userId, username: usernames.get(userId ?? '') ?? null, network, failures, blockedUntil: wait > 0 ? now + wait : null, expiresAt }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('throttleAdministration', createThrottleAdministration(fastify, { now: () => clock.now() }))
}, { name: 'throttle-administration', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'throttles'] })
