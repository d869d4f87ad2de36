import { Type, type Static } from '@sinclair/typebox'

const Time = (description: string) => Type.String({ format: 'date-time', description, examples: ['2026-01-31T09:30:00.000Z'] })
const Nullable = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()])

/** A user as the API shows one. */
export const UserSchema = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7; the `sub` of access tokens', examples: ['019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b'] }),
  username: Type.String({ description: 'Canonical: NFKC, lower case', examples: ['johndoe'] }),
  email: Nullable(Type.String({ examples: ['johndoe@example.com'] })),
  email_verified: Type.Boolean({ description: 'Whether the address is known to be the user\'s', examples: [true] }),
  full_name: Nullable(Type.String({ examples: ['John Doe'] })),
  disabled: Type.Boolean({ description: 'A disabled user has no sessions and can\'t log in', examples: [false] }),
  roles: Type.Array(Type.String(), { description: 'Everybody has `user`', examples: [['user']] }),
  created_at: Time('When the user was made'),
  updated_at: Time('When the profile or the state changed the last time'),
  last_login_at: Nullable(Time('When the user logged in the last time'))
}, { title: 'User' })

export type UserBody = Static<typeof UserSchema>
