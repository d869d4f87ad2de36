import fp from 'fastify-plugin'
import { RETIRE_AFTER_MS } from '../../lib/key-schedule.ts'
import type { Db } from './database.ts'
import { FORGET_NETWORK_MS } from './known-networks.ts'

/**
 * Removes a batch of what nobody needs any more, looking from the cursor on. Resolves to the cursor of the
 * next batch, or to undefined at the end; the first cursor is empty.
 */
export type Sweep = (cursor: string) => Promise<string | undefined>

export interface Expiry {
  /** Tokens that are too old to be used. */
  oneTimeTokens: Sweep
  /** Audit events that are older than the retention. */
  auditEvents: Sweep
  /** Sessions that ended more than a day ago. */
  sessions: Sweep
  /** Signing keys whose tokens nobody has believed for a day. */
  signingKeys: Sweep
  /** Messages that were never sent, though for long nobody tries it any more. */
  outbox: Sweep
  /** Counts that are forgotten. */
  throttles: Sweep
  /** Networks that users have not logged in from for long. */
  knownNetworks: Sweep
}

declare module 'fastify' {
  interface FastifyInstance {
    expiry: Expiry
  }
}

/** Rows that one transaction looks at or removes: others wait for it. */
export const BATCH = 500
const DAY = 24 * 60 * 60 * 1000

export function createExpiry (db: Db, { now }: { now: () => number }, { auditRetentionMs }: { auditRetentionMs: number }): Expiry {
  return {
    async oneTimeTokens () {
      const old = db.selectFrom('one_time_tokens').select('hash').where('expires_at', '<=', now()).orderBy('expires_at').limit(BATCH)
      const { numDeletedRows } = await db.deleteFrom('one_time_tokens').where('hash', 'in', old).executeTakeFirstOrThrow()
      return next(numDeletedRows)
    },

    async auditEvents () {
      const old = db.selectFrom('audit_events').select('id').where('at', '<', now() - auditRetentionMs).orderBy('at').orderBy('id').limit(BATCH)
      const { numDeletedRows } = await db.deleteFrom('audit_events').where('id', 'in', old).executeTakeFirstOrThrow()
      return next(numDeletedRows)
    },

    // An index on the times would have to be written at every refresh, so all sessions are walked through.
    async sessions (cursor) {
      const batch = await db.selectFrom('sessions').select('id').where('id', '>', cursor).orderBy('id').limit(BATCH).execute()
      const last = batch.at(-1)
      if (last === undefined) return undefined
      const before = now() - DAY
      await db.deleteFrom('sessions').where('id', '>', cursor).where('id', '<=', last.id)
        .where((session) => session.or([session('revoked_at', '<', before), session('expires_at', '<', before), session('idle_expires_at', '<', before)]))
        .execute()
      return last.id
    },

    async signingKeys () {
      const before = now() - DAY
      const lastSuccessor = db.selectFrom('signing_keys').select(({ fn }) => fn.max('activates_at').as('at'))
        .where('activates_at', '<', before - RETIRE_AFTER_MS).where('revoked_at', 'is', null)
      const old = db.selectFrom('signing_keys').select('kid')
        .where((key) => key.or([key('revoked_at', '<', before), key('activates_at', '<', lastSuccessor)])).limit(BATCH)
      const { numDeletedRows } = await db.deleteFrom('signing_keys').where('kid', 'in', old).executeTakeFirstOrThrow()
      return next(numDeletedRows)
    },

    async outbox () {
      const old = db.selectFrom('outbox').select('id').where('created_at', '<', now() - 2 * DAY).orderBy('id').limit(BATCH)
      const { numDeletedRows } = await db.deleteFrom('outbox').where('id', 'in', old).executeTakeFirstOrThrow()
      return next(numDeletedRows)
    },

    async throttles () {
      const old = db.selectFrom('throttles').select('key').where('expires_at', '<=', now()).orderBy('expires_at').limit(BATCH)
      // Said again, because one that is counted meanwhile is not old any more.
      const { numDeletedRows } = await db.deleteFrom('throttles').where('key', 'in', old).where('expires_at', '<=', now()).executeTakeFirstOrThrow()
      return next(numDeletedRows)
    },

    async knownNetworks () {
      const before = now() - FORGET_NETWORK_MS
      const old = db.selectFrom('known_networks').select(['user_id', 'network']).where('last_login_at', '<=', before).orderBy('last_login_at').limit(BATCH)
      const { numDeletedRows } = await db.deleteFrom('known_networks').where('last_login_at', '<=', before)
        .where(({ eb, refTuple }) => eb(refTuple('user_id', 'network'), 'in', old.$asTuple('user_id', 'network'))).executeTakeFirstOrThrow()
      return next(numDeletedRows)
    }
  }
}

function next (removed: bigint): string | undefined {
  return removed < BATCH ? undefined : ''
}

export default fp(async (fastify) => {
  const { db, clock, config } = fastify
  fastify.decorate('expiry', createExpiry(db, { now: () => clock.now() }, config))
}, { name: 'expiry', fastify: '5.x', dependencies: ['clock', 'config', 'database'] })
