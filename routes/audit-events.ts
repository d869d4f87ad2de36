import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { parseCursor } from '../lib/cursor.ts'
import type { AuditEventRow } from '../lib/database/tables.ts'
import { ValidationError } from '../lib/errors.ts'
import { readLimit, toPage } from '../lib/page.ts'
import { toTime } from '../lib/user.ts'
import { AuditEventPageSchema, AuditEventsQuerySchema, type AuditEventBody } from '../schemas/audit-events.ts'
import { FAILURES, NOT_ACCEPTABLE } from '../schemas/failures.ts'
import { DEFAULT_LIMIT } from '../schemas/page.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { auditLog } = fastify

  fastify.get('/audit-events', {
    config: { scopes: ['audit:read'] },
    preValidation: readLimit,
    schema: {
      operationId: 'listAuditEvents',
      summary: 'What happened',
      description: 'Log-ins, failures, refusals and changes, newest first, as long as they are kept (`AUDIT_RETENTION_DAYS`).',
      tags: ['Administration'],
      querystring: AuditEventsQuerySchema,
      response: { 200: { description: 'A page of events', ...AuditEventPageSchema }, 400: NOT_ACCEPTABLE, ...FAILURES }
    }
  }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor, type, user_id: userId, from, to } = request.query
    const found = await auditLog.list({
      ...type !== undefined && { type },
      ...userId !== undefined && { userId },
      ...from !== undefined && { from: parseTime(from) },
      ...to !== undefined && { to: parseTime(to) }
    }, { limit: limit + 1, ...cursor !== undefined && { after: parsePosition(cursor) } })
    return toPage(found, limit, toAuditEventBody, ({ at, id }) => [at, id])
  })
}

function parseTime (text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new ValidationError('Write times as 2026-01-31T09:30:00Z')
  return time
}

function parsePosition (cursor: string): { at: number, id: string } {
  const [at, id] = parseCursor(cursor, ['number', 'string'])
  return { at, id }
}

function toAuditEventBody (event: AuditEventRow): AuditEventBody {
  return {
    id: event.id,
    type: event.type,
    outcome: event.outcome,
    at: toTime(event.at),
    actor_id: event.actor_id,
    user_id: event.user_id,
    session_id: event.session_id,
    client_id: event.client_id,
    ip: event.ip,
    user_agent: event.user_agent,
    request_id: event.request_id,
    details: event.details === null ? null : JSON.parse(event.details)
  }
}

export default routes
