import { Type } from '@sinclair/typebox'

// A character comes from at most six UTF-16 units, so no password of 256 characters is longer.
const PASSWORD = { format: 'password', maxLength: 1536 }
const CurrentPassword = Type.String({ ...PASSWORD, minLength: 1, description: 'Your password as it is now', examples: ['secret'] })

/** What users may change of their own profile. */
export const ProfileChangeSchema = Type.Object({
  full_name: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1200, description: 'The name to show, at most 200 characters; null takes it away', examples: ['John Q. Doe'] })),
  email: Type.Optional(Type.String({ maxLength: 254, description: 'The address to change to; needs `current_password`', examples: ['john@example.com'] })),
  current_password: Type.Optional(CurrentPassword)
}, { title: 'ProfileChange', additionalProperties: false })

export const PasswordChangeSchema = Type.Object({
  current_password: CurrentPassword,
  new_password: Type.String({ ...PASSWORD, description: 'At most 256 characters; at least 15, unless the operator has chosen another number', examples: ['correct horse battery'] })
}, { title: 'PasswordChange', additionalProperties: false })

export const AccountRemovalSchema = Type.Object({
  current_password: CurrentPassword
}, { title: 'AccountRemoval', additionalProperties: false })
