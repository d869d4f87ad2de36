import fp from 'fastify-plugin'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'

/** A live session as its user is shown it. Times are epoch milliseconds. */
export interface UserSession {
  id: string
  clientId: string
  scope: string
  createdAt: number
  lastUsedAt: number
  /** When it ends if nobody uses it. */
  expiresAt: number
  ip: string | null
  userAgent: string | null
}

export interface UserSessions {
  /** Newest first, from the one that follows `after`. */
  list (userId: string, page: { limit: number, after?: Pick<UserSession, 'createdAt' | 'id'> }): Promise<UserSession[]>
  /** Ends a live session of the user. Resolves to false if there is none with that id. */
  revoke (userId: string, id: string, context: AuditContext): Promise<boolean>
}

declare module 'fastify' {
  interface FastifyInstance {
    userSessions: UserSessions
  }
}

const COLUMNS = ['id', 'client_id', 'scope', 'created_at', 'last_used_at', 'idle_expires_at', 'expires_at', 'ip', 'user_agent'] as const

export function createUserSessions (db: Db, audit: Audit, { now }: { now: () => number }): UserSessions {
  return {
    async list (userId, { limit, after }) {
      let live = db.selectFrom('sessions').select(COLUMNS).where('user_id', '=', userId)
        .where('revoked_at', 'is', null).where('expires_at', '>', now()).where('idle_expires_at', '>', now())
      if (after !== undefined) live = live.where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '<', tuple(after.createdAt, after.id)))
      const rows = await live.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
      return rows.map((row) => ({
        id: row.id,
        clientId: row.client_id,
        scope: row.scope,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
        expiresAt: Math.min(row.expires_at, row.idle_expires_at),
        ip: row.ip,
        userAgent: row.user_agent
      }))
    },

    async revoke (userId, id, context) {
      return await db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx.updateTable('sessions').set({ revoked_at: now() })
          .where('id', '=', id).where('user_id', '=', userId)
          .where('revoked_at', 'is', null).where('expires_at', '>', now()).where('idle_expires_at', '>', now()).executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await audit.record(tx, { type: 'session_revoked', outcome: 'success', userId, sessionId: id }, context)
        return true
      })
    }
  }
}

export default fp(async (fastify) => {
  const { db, audit, clock } = fastify
  fastify.decorate('userSessions', createUserSessions(db, audit, { now: () => clock.now() }))
}, { name: 'user-sessions', fastify: '5.x', dependencies: ['audit', 'clock', 'database'] })
