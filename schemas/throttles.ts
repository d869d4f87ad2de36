import { Type, type Static } from '@sinclair/typebox'
import { PAGE_QUERY, PageSchema } from './page.ts'
import { EXAMPLE_ID, EXAMPLE_TIME, NullableText, TIME, UUID_PATTERN } from './values.ts'

const ID = { description: 'Names the count and tells nothing about it', examples: ['Q0pP2e5Hn7mZkq0cJ3v9w1x4y6z8A_B-CdEfGhIjKlM'] }

export const ThrottleSchema = Type.Object({
  id: Type.String(ID),
  rule: Type.String({ description: 'What is counted: failures of an `account`, of an account from a network (`account_network`) or of a `network`, or mails to an address (`mail_address`) or for a network (`mail_network`)', examples: ['account_network'] }),
  user_id: NullableText('The user whom it is about, if there is one', EXAMPLE_ID),
  username: NullableText('The name of this user', 'johndoe'),
  network: NullableText('Where it came from: an IPv4 address, or the /64 of an IPv6 address; null where that is not counted', '203.0.113.7'),
  failures: Type.Integer({ description: 'How many there were', examples: [7] }),
  blocked_until: NullableText('When the next one is let in, if it has to wait', EXAMPLE_TIME),
  expires_at: Type.String({ ...TIME, description: 'When it is forgotten' })
}, { title: 'Throttle' })

export type ThrottleBody = Static<typeof ThrottleSchema>

export const ThrottlePageSchema = PageSchema(ThrottleSchema, 'ThrottlePage')

export const ThrottlesQuerySchema = Type.Object({
  ...PAGE_QUERY,
  user_id: Type.Optional(Type.String({ pattern: UUID_PATTERN, description: 'Only what is about this user', examples: [EXAMPLE_ID] }))
}, { additionalProperties: false })

export const ThrottleParamsSchema = Type.Object({
  // What can't be an id is answered as one that nothing has.
  id: Type.String({ ...ID, description: 'The `id` of the count' })
})
