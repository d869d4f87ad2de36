import { sql } from 'kysely'
import type { CounterState, Rule, RuleName } from '../throttle/rules.ts'
import { MOST_READ, type StoredThrottle, type ThrottleStore } from '../throttle/store.ts'
import type { Database, Db } from './database.ts'
import { parameter, prepareStatement } from './prepared.ts'
import type { ThrottleRow } from './tables.ts'

const SLOTS = Array.from({ length: MOST_READ }, (_, index) => `key${index}`)

/** The counters in the table `throttles`. */
export function createDatabaseThrottles ({ db, prepareRead }: Pick<Database, 'db' | 'prepareRead'>, { now }: { now: () => number }): ThrottleStore {
  const readStates = prepareRead(db.selectFrom('throttles')
    .select(sql<string | null>`string_agg(key || ' ' || failures || ' ' || anchored_at, ' ')`.as('states'))
    .where('key', 'in', SLOTS.map(parameter)))

  const countBy: Readonly<Record<Rule['anchor'], ReturnType<typeof prepareCount>>> = { first: prepareCount(db, 'first'), last: prepareCount(db, 'last') }

  async function removeWhere (tx: Db, column: 'user_id' | 'network', value: string): Promise<number> {
    const { numDeletedRows } = await tx.deleteFrom('throttles').where(column, '=', value).executeTakeFirst()
    return Number(numDeletedRows)
  }

  return {
    async read (keys) {
      const row = await readStates(Object.fromEntries(SLOTS.map((slot, index) => [slot, keys[index] ?? ''])))
      return parseStates(row?.states ?? '')
    },

    async find (tx, key) {
      const row = await tx.selectFrom('throttles').selectAll().where('key', '=', key).executeTakeFirst()
      return row && toStored(row)
    },

    async count (tx, counters, most = Number.MAX_SAFE_INTEGER) {
      const states = []
      for (const { key, rule, userId, network } of counters) {
        const at = now()
        const { rows: [row] } = await countBy[rule.anchor](tx, {
          key, rule: rule.name, user_id: userId ?? null, network: network ?? null, at, expires_at: at + rule.forgetMs, most
        })
        states.push(row && { failures: row.failures, anchoredAt: row.anchored_at })
      }
      return states
    },

    async countAhead () {
      return undefined // the count is written or undone with the act
    },

    async claim (claims) {
      const at = now()
      try {
        await db.transaction().execute(async (tx) => {
          for (const { key, rule, anchoredAt } of claims) {
            await tx.updateTable('throttles').set({ anchored_at: at, expires_at: at + rule.forgetMs })
              .where('key', '=', key).where('anchored_at', '=', anchoredAt).returning('key').executeTakeFirstOrThrow(() => new Taken())
          }
        })
        return true
      } catch (error) {
        if (error instanceof Taken) return false
        throw error
      }
    },

    async list ({ userId }, { limit, after }) {
      let counts = db.selectFrom('throttles').selectAll().where('expires_at', '>', now())
      if (userId !== undefined) counts = counts.where('user_id', '=', userId)
      if (after !== undefined) counts = counts.where('key', '>', after)
      if (limit !== undefined) counts = counts.limit(limit)
      const rows = await counts.orderBy('key').execute()
      return rows.map(toStored)
    },

    async remove (tx, keys) {
      const { numDeletedRows } = await tx.deleteFrom('throttles').where('key', 'in', keys).executeTakeFirst()
      return Number(numDeletedRows)
    },

    removeOfUser: async (tx, userId) => await removeWhere(tx, 'user_id', userId),
    removeOfNetwork: async (tx, network) => await removeWhere(tx, 'network', network),

    async removeAll (tx) {
      const { numDeletedRows } = await tx.deleteFrom('throttles').executeTakeFirst()
      return Number(numDeletedRows)
    }
  }
}

/** Another process has claimed one of the waits: all is undone. */
class Taken extends Error {}

function prepareCount (db: Db, anchor: Rule['anchor']) {
  return prepareStatement(db.insertInto('throttles').values({
    key: parameter('key'),
    rule: parameter('rule'),
    // The user may be gone meanwhile.
    user_id: ({ selectFrom }) => selectFrom('users').select('id').where('id', '=', parameter('user_id')),
    network: parameter('network'),
    failures: 1,
    anchored_at: parameter('at'),
    expires_at: parameter('expires_at')
  }).onConflict((conflict) => conflict.column('key').doUpdateSet(({ eb, fn, ref }) => {
    const unlessForgotten = (column: 'anchored_at' | 'expires_at') => eb.case().when(isForgotten).then(ref(`excluded.${column}`)).else(ref(`throttles.${column}`)).end()
    return {
      user_id: fn.coalesce('excluded.user_id', 'throttles.user_id'),
      failures: eb.case().when(isForgotten).then(1).else(eb('throttles.failures', '+', 1)).end(),
      anchored_at: anchor === 'last' ? ref('excluded.anchored_at') : unlessForgotten('anchored_at'),
      expires_at: anchor === 'last' ? ref('excluded.expires_at') : unlessForgotten('expires_at')
    }
  }).where(({ eb, or }) => or([eb('throttles.failures', '<', parameter('most')), isForgotten])))
    .returning(['throttles.failures', 'throttles.anchored_at']))
}

// Too old, or so far in the future that the clock was set back.
const isForgotten = sql<boolean>`(throttles.expires_at <= excluded.anchored_at or throttles.anchored_at >= excluded.expires_at)`

function toStored (row: ThrottleRow): StoredThrottle {
  return {
    key: row.key,
    rule: row.rule as RuleName, // no other is ever written
    userId: row.user_id,
    network: row.network,
    failures: row.failures,
    anchoredAt: row.anchored_at,
    expiresAt: row.expires_at
  }
}

/** Reads `key failures anchored_at key failures ...`. */
function parseStates (text: string): Map<string, CounterState> {
  const states = new Map<string, CounterState>()
  const values = text.split(' ')
  for (let index = 0; index + 2 < values.length; index += 3) {
    states.set(values[index] as string, { failures: Number(values[index + 1]), anchoredAt: Number(values[index + 2]) })
  }
  return states
}
