import { Type } from '@sinclair/typebox'
import { EmailSchema, NewPasswordSchema } from './recovery.ts'
import { FULL_NAME, Nullable, USERNAME } from './values.ts'

/** Rights are not among the members: everybody who signs up gets the same. */
export const SignUpSchema = Type.Object({
  username: Type.String({ ...USERNAME, description: `${USERNAME.description}; everybody can see whether it is taken` }),
  email: EmailSchema,
  password: NewPasswordSchema,
  full_name: Type.Optional(Nullable(FULL_NAME))
}, { title: 'SignUp', additionalProperties: false })
