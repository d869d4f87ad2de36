import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import type { AuditEventType } from '../../lib/audit-events.ts'
import { parameters, prepareStatement, type Values } from '../../lib/database/prepared.ts'
import type { AuditEventRow } from '../../lib/database/tables.ts'
import type { Insertion } from '../../lib/database/together.ts'
import type { Db } from './database.ts'

/** Who did it and from where: the part of an audit event that the request gives. */
export interface AuditContext {
  actorId?: string
  /** The session in which it was done; that of an event which is about another one comes first. */
  sessionId?: string
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

export interface Audit {
  /** Writes the event in the transaction of the act that it tells of. */
  record (tx: Db, event: AuditEvent, context: AuditContext): Promise<void>
}

/** For an act whose event is written together with what it does. */
export interface PreparedAudit extends Audit {
  insertion: Insertion
  /** The values of its parameters. */
  valuesOf (event: AuditEvent, context: AuditContext): Values
  /** Is to be told when it is written. */
  recorded (event: AuditEvent): void
}

export interface ObservableAudit extends PreparedAudit {
  /** From now on tells this listener, and no other, of each event that is written; its transaction may fail yet. */
  onRecorded (listener: (event: AuditEvent) => void): void
}

declare module 'fastify' {
  interface FastifyInstance {
    audit: ObservableAudit
  }
}

export function createAudit (db: Db, { now }: { now: () => number }): ObservableAudit {
  const row = parameters<AuditEventRow>([
    'id', 'type', 'outcome', 'at', 'actor_id', 'user_id', 'session_id', 'client_id', 'ip', 'user_agent', 'request_id', 'details'
  ], 'event_')
  const insertEvent = prepareStatement(db.insertInto('audit_events').values(row))
  let listener: ((event: AuditEvent) => void) | undefined

  return {
    async record (tx, event, context) {
      await insertEvent(tx, this.valuesOf(event, context))
      this.recorded(event)
    },

    insertion: { into: 'audit_events', row },

    valuesOf ({ type, outcome, userId, sessionId, details }, context) {
      return {
        event_id: uuidv7(),
        event_type: type,
        event_outcome: outcome,
        event_at: now(),
        event_actor_id: context.actorId ?? null,
        event_user_id: userId ?? null,
        event_session_id: sessionId ?? context.sessionId ?? null,
        event_client_id: context.clientId ?? null,
        event_ip: context.ip ?? null,
        event_user_agent: context.userAgent ?? null,
        event_request_id: context.requestId ?? null,
        event_details: details === undefined ? null : JSON.stringify(details)
      }
    },

    recorded (event) { listener?.(event) },

    onRecorded (newListener) { listener = newListener }
  }
}

const MAX_USER_AGENT_LENGTH = 256

/** @param clientId none where no client is asked for, as at sign-up */
export function auditContext (request: FastifyRequest, clientId?: string): AuditContext {
  const userAgent = request.headers['user-agent']
  return {
    ...(clientId !== undefined && { clientId }),
    ip: request.ip,
    requestId: request.id,
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, MAX_USER_AGENT_LENGTH) })
  }
}

/** The same where the request has a session: its user acts. */
export function sessionContext (request: FastifyRequest): AuditContext {
  const { session } = request.auth
  return { ...auditContext(request, session.clientId), actorId: session.user.id, sessionId: session.id }
}

export default fp(async (fastify) => {
  const { clock, db } = fastify
  fastify.decorate('audit', createAudit(db, { now: () => clock.now() }))
}, { name: 'audit', fastify: '5.x', dependencies: ['clock', 'database'] })
