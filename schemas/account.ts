import { Type } from '@sinclair/typebox'
import { NewPasswordSchema } from './recovery.ts'
import { FULL_NAME, Nullable, PASSWORD } from './values.ts'

const CurrentPassword = Type.String({ ...PASSWORD, minLength: 1, description: 'Your password as it is now', examples: ['secret'] })

/** What users may change of their own profile. */
export const ProfileChangeSchema = Type.Object({
  full_name: Type.Optional(Nullable({ ...FULL_NAME, description: `${FULL_NAME.description}; null takes it away`, examples: ['John Q. Doe'] })),
  email: Type.Optional(Type.String({ maxLength: 254, description: 'The address to change to; needs `current_password`', examples: ['john@example.com'] })),
  current_password: Type.Optional(CurrentPassword)
}, { title: 'ProfileChange', additionalProperties: false })

export const PasswordChangeSchema = Type.Object({
  current_password: CurrentPassword,
  new_password: NewPasswordSchema
}, { title: 'PasswordChange', additionalProperties: false })

export const AccountRemovalSchema = Type.Object({
  current_password: CurrentPassword
}, { title: 'AccountRemoval', additionalProperties: false })
