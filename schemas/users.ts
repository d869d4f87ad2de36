import { Type, type Static } from '@sinclair/typebox'
import { ROLE_NAME_PATTERN } from '../lib/roles.ts'
import { PAGE_QUERY, PageSchema } from './page.ts'
import { EmailSchema } from './recovery.ts'
import { EXAMPLE_ID, FULL_NAME, Nullable, NullableText, TIME, USERNAME } from './values.ts'

/** A user as the API shows one. */
export const UserSchema = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7; the `sub` of access tokens', examples: [EXAMPLE_ID] }),
  username: Type.String({ description: 'Canonical: NFKC, lower case', examples: ['johndoe'] }),
  email: NullableText('The address for mails, if there is one', 'johndoe@example.com'),
  email_verified: Type.Boolean({ description: 'Whether the address is known to be the user\'s', examples: [true] }),
  full_name: NullableText('The name to show, if there is one', 'John Doe'),
  disabled: Type.Boolean({ description: 'A disabled user has no sessions and can\'t log in', examples: [false] }),
  roles: Type.Array(Type.String(), { description: 'Everybody has `user`', examples: [['user']] }),
  created_at: Type.String({ ...TIME, description: 'When the user was made' }),
  updated_at: Type.String({ ...TIME, description: 'When the profile or the state changed the last time' }),
  last_login_at: Nullable({ ...TIME, description: 'When the user logged in the last time' })
}, { title: 'User' })

export type UserBody = Static<typeof UserSchema>

export const UserPageSchema = PageSchema(UserSchema, 'UserPage')

export const UsersQuerySchema = Type.Object({
  ...PAGE_QUERY,
  // PostgreSQL answers a NUL with an error.
  q: Type.Optional(Type.String({ maxLength: 254, pattern: '^[^\\x00-\\x1F\\x7F]*$', description: 'What the username or the e-mail address begins with, however it is spelled', examples: ['john'] }))
}, { additionalProperties: false })

export const UserParamsSchema = Type.Object({
  // What is no UUID is answered as one that nobody has.
  id: Type.String({ description: 'The `id` of the user', examples: [EXAMPLE_ID] })
})

const RolesSchema = Type.Array(Type.String({ pattern: ROLE_NAME_PATTERN }), {
  maxItems: 50,
  uniqueItems: true,
  description: 'The names of all roles that the user is to have; everybody has `user`, whether it is here or not',
  examples: [['user']]
})

export const NewUserSchema = Type.Object({
  username: Type.String(USERNAME),
  email: EmailSchema,
  full_name: Type.Optional(Nullable(FULL_NAME)),
  roles: Type.Optional(RolesSchema)
}, { title: 'NewUser', additionalProperties: false })

export const UserChangeSchema = Type.Object({
  email: Type.Optional(Nullable({ maxLength: 254, description: 'The address for mails, which is not proven then; null takes it away', examples: ['ada@example.com'] })),
  full_name: Type.Optional(Nullable({ ...FULL_NAME, description: `${FULL_NAME.description}; null takes it away` })),
  disabled: Type.Optional(Type.Boolean({ description: '`true` ends all sessions and keeps the user from logging in', examples: [false] })),
  roles: Type.Optional(RolesSchema)
}, { title: 'UserChange', additionalProperties: false })
