import { Type, type Static } from '@sinclair/typebox'

// The documentation page fills its forms in with the examples, and leaves out what is empty.
const LEFT_OUT = { examples: [''] }

const Scope = Type.String({ description: 'Scopes separated by spaces, RFC 6749 section 3.3', examples: ['profile account'] })

/**
 * The form of the token endpoint. It describes the request for readers and clients; the parameters
 * are checked by lib/form.ts and by the grants, because RFC 6749 names an error code for each fault.
 */
export const TokenRequestSchema = Type.Object({
  grant_type: Type.Optional(Type.String({
    description: '`password` logs in (RFC 6749 section 4.3), `refresh_token` goes on with a session (section 6)',
    examples: ['password', 'refresh_token']
  })),
  username: Type.Optional(Type.String({ description: 'Username or e-mail address (`password`)', examples: ['johndoe'] })),
  password: Type.Optional(Type.String({ description: 'Password (`password`)', format: 'password', examples: ['secret'] })),
  refresh_token: Type.Optional(Type.String({ ...LEFT_OUT, description: 'The newest refresh token of the session (`refresh_token`)' })),
  scope: Type.Optional(Type.String({ ...LEFT_OUT, description: 'Scopes separated by spaces, such as `profile account`. Left out: all that are allowed' })),
  client_id: Type.Optional(Type.String({ ...LEFT_OUT, description: 'Left out: the built-in `first-party` client' })),
  client_secret: Type.Optional(Type.String({ ...LEFT_OUT, description: 'Only for clients that have one' }))
}, { title: 'TokenRequest' })

/** Success, RFC 6749 section 5.1. */
export const TokenResponseSchema = Type.Object({
  access_token: Type.String({ description: 'Signed JWT of type `at+jwt` (RFC 9068), for the Authorization header', examples: ['eyJhbGciOi...'] }),
  token_type: Type.Literal('bearer', { description: 'How to send the access token: `Authorization: Bearer ...` (RFC 6750)' }),
  expires_in: Type.Integer({ description: 'Lifetime of the access token in seconds', examples: [600] }),
  refresh_token: Type.String({ description: 'Good for one refresh, which gives the next one', examples: ['lkr_...'] }),
  scope: Scope
}, { title: 'TokenResponse' })

export type TokenResponse = Static<typeof TokenResponseSchema>

/** The form of the revocation endpoint, RFC 7009 section 2.1. */
export const RevocationRequestSchema = Type.Object({
  token: Type.Optional(Type.String({ ...LEFT_OUT, description: 'A refresh token or an access token of the session to end' })),
  token_type_hint: Type.Optional(Type.String({ ...LEFT_OUT, description: '`refresh_token` or `access_token`; not needed' })),
  client_id: Type.Optional(Type.String({ ...LEFT_OUT, description: 'Left out: the built-in `first-party` client' })),
  client_secret: Type.Optional(Type.String({ ...LEFT_OUT, description: 'Only for clients that have one' }))
}, { title: 'RevocationRequest' })

/** Parameters come in the body only: what is in a URL ends up in logs. RFC 6749 section 2.3.1. */
export const NoQuerySchema = Type.Object({}, { additionalProperties: false })
