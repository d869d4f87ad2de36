import { sql } from 'kysely'
import fp from 'fastify-plugin'
import type { AuditEventType } from '../../lib/audit-events.ts'
import type { AuditEventRow } from '../../lib/database/tables.ts'
import type { Db } from './database.ts'

/** Which events are meant; what is left out does not matter. Times are epoch milliseconds. */
export interface AuditFilter {
  type?: AuditEventType
  /** Whom it happened to. */
  userId?: string
  from?: number
  /** The first instant that is not meant any more. */
  to?: number
}

type Position = Pick<AuditEventRow, 'at' | 'id'>

export interface AuditLog {
  /** Newest first, from the one that follows `after`. */
  list (filter: AuditFilter, page: { limit: number, after?: Position }): Promise<AuditEventRow[]>
}

declare module 'fastify' {
  interface FastifyInstance {
    auditLog: AuditLog
  }
}

export function createAuditLog (db: Db): AuditLog {
  return {
    async list ({ type, userId, from, to }, { limit, after }) {
      let events = db.selectFrom('audit_events')
        .select(['id', 'type', 'outcome', 'at', 'actor_id', 'user_id', 'session_id', 'client_id', 'ip', 'user_agent', 'request_id', 'details'])
      if (userId !== undefined) events = events.where('user_id', '=', userId)
      if (type !== undefined && userId === undefined) events = events.where('type', '=', type)
      // One user has fewer events than one type: as an expression the type is not looked up in its index.
      if (type !== undefined && userId !== undefined) events = events.where(sql`type || ''`, '=', type)
      if (from !== undefined) events = events.where('at', '>=', from)
      const before = firstOf(after, to)
      if (before !== undefined) events = events.where(({ eb, refTuple, tuple }) => eb(refTuple('at', 'id'), '<', tuple(before.at, before.id)))
      return await events.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute()
    }
  }
}

// One bound and not two: the database would use any one of them, and read again what the pages before had.
function firstOf (after: Position | undefined, to: number | undefined): Position | undefined {
  if (to === undefined || (after !== undefined && after.at < to)) return after
  return { at: to, id: '' }
}

export default fp(async (fastify) => {
  fastify.decorate('auditLog', createAuditLog(fastify.db))
}, { name: 'audit-log', fastify: '5.x', dependencies: ['database'] })
