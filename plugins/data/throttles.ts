import { sql } from 'kysely'
import fp from 'fastify-plugin'
import { parameter, prepareWrite } from '../../lib/database/prepared.ts'
import type { ThrottleRow } from '../../lib/database/tables.ts'
import type { Counter, ThrottleKeys } from '../../lib/throttle/keys.ts'
import type { CounterState, Rule, RuleName } from '../../lib/throttle/rules.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db, PrepareRead } from './database.ts'

/** The counters of all rules. What is forgotten may still be read: the rule tells. */
export interface Throttles {
  /** The states of those that are there. No more than `MOST_READ` of them are asked for at a time. */
  read (keys: readonly string[]): Promise<ReadonlyMap<string, CounterState>>
  /** The state of one as the transaction sees it. */
  find (tx: Db, key: string): Promise<CounterState | undefined>
  /**
   * Counts one more in one statement, and resolves to the state after that. With `most` it resolves to undefined, and
   * nothing is counted, if that many are counted already.
   */
  count (tx: Db, counter: Counter, most?: number): Promise<CounterState | undefined>
  /** Counts a failure at each of them. When a rule begins to hold somebody up by it, that is audited. */
  countFailure (tx: Db, counters: readonly Counter[], context: AuditContext): Promise<void>
  remove (tx: Db, keys: readonly string[]): Promise<void>
  /** Removes all that is counted about the user, from everywhere and in every spelling; resolves to how many there were. */
  forgetUser (tx: Db, userId: string): Promise<number>
}

declare module 'fastify' {
  interface FastifyInstance {
    throttles: Throttles
  }
}

/** As many counters as one log-in has. */
export const MOST_READ = 5
const SLOTS = Array.from({ length: MOST_READ }, (_, index) => `key${index}`)

interface Parts {
  db: Db
  prepareRead: PrepareRead
  audit: Audit
  throttleKeys: ThrottleKeys
}

export function createThrottles ({ db, prepareRead, audit, throttleKeys }: Parts, { now }: { now: () => number }): Throttles {
  const readStates = prepareRead(db.selectFrom('throttles')
    .select(sql<string | null>`string_agg(key || ' ' || failures || ' ' || anchored_at, ' ')`.as('states'))
    .where('key', 'in', SLOTS.map(parameter)))

  const countBy: Readonly<Record<Rule['anchor'], ReturnType<typeof prepareCount>>> = { first: prepareCount(db, 'first'), last: prepareCount(db, 'last') }

  return {
    async read (keys) {
      const row = await readStates(Object.fromEntries(SLOTS.map((slot, index) => [slot, keys[index] ?? ''])))
      return parseStates(row?.states ?? '')
    },

    async find (tx, key) {
      const row = await tx.selectFrom('throttles').select(['failures', 'anchored_at']).where('key', '=', key).executeTakeFirst()
      return row && toState(row)
    },

    async count (tx, { key, rule, userId, network }, most = Number.MAX_SAFE_INTEGER) {
      const at = now()
      const { rows: [row] } = await countBy[rule.anchor](tx, {
        key, rule: rule.name, user_id: userId ?? null, network: network ?? null, at, expires_at: at + rule.forgetMs, most
      })
      return row && toState(row)
    },

    async countFailure (tx, counters, context) {
      const reached = new Map<RuleName, Counter>()
      for (const counter of counters) {
        const state = await this.count(tx, counter)
        if (state?.failures === counter.rule.free) reached.set(counter.rule.name, counter)
      }
      for (const [rule, { userId }] of reached) {
        await audit.record(tx, { type: 'login_throttled', outcome: 'failure', ...userId !== undefined && { userId }, details: { rule } }, context)
      }
    },

    async remove (tx, keys) {
      if (keys.length > 0) await tx.deleteFrom('throttles').where('key', 'in', keys).execute()
    },

    async forgetUser (tx, userId) {
      const names = await tx.selectFrom('users').select(['username', 'email_key']).where('id', '=', userId).executeTakeFirstOrThrow()
      const { numDeletedRows } = await tx.deleteFrom('throttles').where(({ eb, or }) => or([eb('user_id', '=', userId), eb('key', 'in', throttleKeys.ofNames(names))])).executeTakeFirst()
      return Number(numDeletedRows)
    }
  }
}

function prepareCount (db: Db, anchor: Rule['anchor']) {
  return prepareWrite(db.insertInto('throttles').values({
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

function toState ({ failures, anchored_at: anchoredAt }: Pick<ThrottleRow, 'failures' | 'anchored_at'>): CounterState {
  return { failures, anchoredAt }
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

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('throttles', createThrottles(fastify, { now: () => clock.now() }))
}, { name: 'throttles', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'throttle-keys'] })
