import fp from 'fastify-plugin'
import type { ThrottleRow } from '../../lib/database/tables.ts'
import { notFound } from '../../lib/errors.ts'
import type { CountedThrottle } from '../../lib/throttle/counted.ts'
import { RULES, waitMs, type RuleName } from '../../lib/throttle/rules.ts'
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
    async list ({ userId }, { limit, after } = {}) {
      let counts = db.selectFrom('throttles').selectAll().where('expires_at', '>', now())
      if (userId !== undefined) counts = counts.where('user_id', '=', userId)
      if (after !== undefined) counts = counts.where('key', '>', after)
      if (limit !== undefined) counts = counts.limit(limit)
      const rows = await counts.orderBy('key').execute()
      return rows.map((row) => toCountedThrottle(row, now()))
    },

    async clear (id, context, guard) {
      await db.transaction().execute(async (tx) => {
        const cleared = await tx.deleteFrom('throttles').where('key', '=', id).returning(['rule', 'user_id', 'network']).executeTakeFirst()
        if (cleared === undefined) throw notFound()
        const { rule, user_id: userId, network } = cleared
        if (userId !== null) await guard(userId)(tx)
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
        const { numDeletedRows } = await tx.deleteFrom('throttles').where('network', '=', network).executeTakeFirst()
        await record(tx, null, { network, throttles: Number(numDeletedRows) }, context)
        return Number(numDeletedRows)
      })
    },

    async clearAll (context) {
      return await db.transaction().execute(async (tx) => {
        const { numDeletedRows } = await tx.deleteFrom('throttles').executeTakeFirst()
        await record(tx, null, { throttles: Number(numDeletedRows) }, context)
        return Number(numDeletedRows)
      })
    }
  }
}

function toCountedThrottle (row: ThrottleRow, now: number): CountedThrottle {
  const rule = RULES[row.rule as RuleName] // no other is ever written
  const wait = waitMs(rule, { failures: row.failures, anchoredAt: row.anchored_at }, now)
  return {
    id: row.key,
    rule: rule.name,
    userId: row.user_id,
    network: row.network,
    failures: row.failures,
    blockedUntil: wait > 0 ? now + wait : null,
    expiresAt: row.expires_at
  }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('throttleAdministration', createThrottleAdministration(fastify, { now: () => clock.now() }))
}, { name: 'throttle-administration', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'throttles'] })
