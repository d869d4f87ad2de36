import { Type, type Static } from '@sinclair/typebox'
import { PAGE_QUERY, PageSchema } from './page.ts'
import { EXAMPLE_ID, NullableText, TIME } from './values.ts'

/** A session as its user is shown it. */
export const SessionSchema = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7; the `sid` of access tokens', examples: [EXAMPLE_ID] }),
  client_id: Type.String({ description: 'The client that was logged in with', examples: ['first-party'] }),
  scope: Type.String({ description: 'What was granted at log-in, separated by spaces', examples: ['profile account'] }),
  created_at: Type.String({ ...TIME, description: 'When it was opened by a log-in' }),
  last_used_at: Type.String({ ...TIME, description: 'When its tokens were renewed the last time, or the log-in' }),
  expires_at: Type.String({ ...TIME, description: 'When it ends if its tokens are not renewed' }),
  ip: NullableText('The address that the log-in came from, if it is known', '203.0.113.7'),
  user_agent: NullableText('What the log-in came with as `User-Agent`, at most 256 characters', 'Mozilla/5.0 (X11; Linux x86_64)'),
  current: Type.Boolean({ description: 'Whether this request belongs to it', examples: [true] })
}, { title: 'Session' })

export type SessionBody = Static<typeof SessionSchema>

export const SessionPageSchema = PageSchema(SessionSchema, 'SessionPage')

export const SessionsQuerySchema = Type.Object(PAGE_QUERY, { additionalProperties: false })

export const EndSessionsQuerySchema = Type.Object({
  current: Type.Optional(Type.Unsafe<'true' | 'false'>({ type: 'string', enum: ['true', 'false'], description: '`true` ends the session of this request too', examples: ['true'] }))
}, { additionalProperties: false })

export const SessionParamsSchema = Type.Object({
  // What is no UUID is answered as one that nobody has.
  id: Type.String({ description: 'The `id` of the session', examples: [EXAMPLE_ID] })
})
