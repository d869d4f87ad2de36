import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import type { Db } from './database.ts'

/** Who did it and from where: the part of an audit event that the request gives. */
export interface AuditContext {
  actorId?: string
  clientId?: string
  ip?: string
  userAgent?: string
  requestId?: string
}

export interface AuditEvent {
  type: AuditEventType
  outcome: 'success' | 'failure'
  userId?: string
  sessionId?: string
  details?: Readonly<Record<string, string | number>>
}

export type AuditEventType =
  | 'login' | 'logout' | 'refresh_token_reuse'
  | 'user_created' | 'user_disabled' | 'user_enabled' | 'user_password_set' | 'user_logged_out'
  | 'signing_key_rotated'

export interface Audit {
  /** Writes the event through `db`, which is the transaction of the act it tells of. */
  record (db: Db, event: AuditEvent, context: AuditContext): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    audit: Audit
  }
}

export function createAudit ({ now }: { now: () => number }): Audit {
  return {
    async record (db, { type, outcome, userId, sessionId, details }, { actorId, clientId, ip, userAgent, requestId }) {
      await db.insertInto('audit_events').values({
        id: uuidv7(),
        type,
        outcome,
        at: now(),
        actor_id: actorId ?? null,
        user_id: userId ?? null,
        session_id: sessionId ?? null,
        client_id: clientId ?? null,
        ip: ip ?? null,
        user_agent: userAgent ?? null,
        request_id: requestId ?? null,
        details: details === undefined ? null : JSON.stringify(details)
      }).execute()
    }
  }
}

const MAX_USER_AGENT_LENGTH = 256

export function auditContext (request: FastifyRequest, clientId: string): AuditContext {
  const userAgent = request.headers['user-agent']
  return {
    clientId,
    ip: request.ip,
    requestId: request.id,
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, MAX_USER_AGENT_LENGTH) })
  }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('audit', createAudit({ now: () => clock.now() }))
}, { name: 'audit', fastify: '5.x', dependencies: ['clock'] })
