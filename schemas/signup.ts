import { Type } from '@sinclair/typebox'
import { EmailSchema, NewPasswordSchema } from './recovery.ts'

/** Rights are not among the members: everybody who signs up gets the same. */
export const SignUpSchema = Type.Object({
  username: Type.String({ maxLength: 384, description: '1 to 64 letters of one script, digits and `._-`; everybody can see whether it is taken', examples: ['ada'] }),
  email: EmailSchema,
  password: NewPasswordSchema,
  full_name: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1200, description: 'The name to show, 1 to 200 characters', examples: ['Ada Lovelace'] }))
}, { title: 'SignUp', additionalProperties: false })
