import { Type, type Static } from '@sinclair/typebox'
import { AUDIT_EVENTS, type AuditEventType } from '../lib/audit-events.ts'
import { PAGE_QUERY, PageSchema } from './page.ts'
import { EXAMPLE_ID, NullableText, TIME, UUID_PATTERN } from './values.ts'

const TYPES = Object.keys(AUDIT_EVENTS) as AuditEventType[] // they are its keys

export const AuditEventSchema = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7', examples: [EXAMPLE_ID] }),
  type: Type.String({ description: 'What happened; the list is in docs/operations.md', examples: ['login'] }),
  outcome: Type.String({ description: '`success` or `failure`', examples: ['failure'] }),
  at: Type.String({ ...TIME, description: 'When' }),
  actor_id: NullableText('The user who did it, or `operator` for the command; null if nobody was logged in', EXAMPLE_ID),
  user_id: NullableText('The user whom it happened to, if there is one', EXAMPLE_ID),
  session_id: NullableText('The session that it happened to, if there is one', EXAMPLE_ID),
  client_id: NullableText('The client that was used', 'first-party'),
  ip: NullableText('The address that it came from', '203.0.113.7'),
  user_agent: NullableText('The `User-Agent` of the request, at most 256 characters', 'curl/8.5.0'),
  request_id: NullableText('Leads to the line of the request in the log', 'b3c1e0f2-0c3d-4f5e-8a9b-0c1d2e3f4a5b-17'),
  details: Type.Unsafe<Record<string, string | number> | null>({ type: ['object', 'null'], additionalProperties: true, description: 'What else is known, by type; never a secret', examples: [{ error: 'invalid_grant' }] })
}, { title: 'AuditEvent' })

export type AuditEventBody = Static<typeof AuditEventSchema>

export const AuditEventPageSchema = PageSchema(AuditEventSchema, 'AuditEventPage')

export const AuditEventsQuerySchema = Type.Object({
  ...PAGE_QUERY,
  type: Type.Optional(Type.Unsafe<AuditEventType>({ type: 'string', enum: TYPES, description: 'Only events of this type', examples: ['login'] })),
  user_id: Type.Optional(Type.String({ pattern: UUID_PATTERN, description: 'Only what happened to this user', examples: [EXAMPLE_ID] })),
  from: Type.Optional(Type.String({ ...TIME, maxLength: 40, description: 'Only what happened at this time or later, RFC 3339' })),
  to: Type.Optional(Type.String({ ...TIME, maxLength: 40, description: 'Only what happened before this time, RFC 3339' }))
}, { additionalProperties: false })
