import { Type, type Static, type StringOptions } from '@sinclair/typebox'

const TIME = { format: 'date-time', examples: ['2026-01-31T09:30:00.000Z'] }
// As a union it would be checked against each member whenever a user is shown.
const Nullable = (options: StringOptions) => Type.Unsafe<string | null>({ ...options, type: ['string', 'null'] })

/** A user as the API shows one. */
export const UserSchema = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7; the `sub` of access tokens', examples: ['019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b'] }),
  username: Type.String({ description: 'Canonical: NFKC, lower case', examples: ['johndoe'] }),
  email: Nullable({ examples: ['johndoe@example.com'], description: 'The address for mails, if there is one' }),
  email_verified: Type.Boolean({ description: 'Whether the address is known to be the user\'s', examples: [true] }),
  full_name: Nullable({ examples: ['John Doe'], description: 'The name to show, if there is one' }),
  disabled: Type.Boolean({ description: 'A disabled user has no sessions and can\'t log in', examples: [false] }),
  roles: Type.Array(Type.String(), { description: 'Everybody has `user`', examples: [['user']] }),
  created_at: Type.String({ ...TIME, description: 'When the user was made' }),
  updated_at: Type.String({ ...TIME, description: 'When the profile or the state changed the last time' }),
  last_login_at: Nullable({ ...TIME, description: 'When the user logged in the last time' })
}, { title: 'User' })

export type UserBody = Static<typeof UserSchema>
