import { Type } from '@sinclair/typebox'
import { PASSWORD } from './values.ts'

// The bounds cap what one unauthenticated request can make us parse and normalize; what is a good address or
// password is decided elsewhere, with words that say what to change.
export const EmailSchema = Type.String({ maxLength: 254, description: 'An e-mail address', examples: ['ada@example.com'] })
export const NewPasswordSchema = Type.String({ ...PASSWORD, description: 'At least 15 characters (or as many as the service asks for), at most 256; nothing common, and none of your names', examples: ['a passphrase of your own'] })

const LinkTokenSchema = Type.String({ minLength: 1, maxLength: 256, description: 'The token of the mailed link, as it stands after `#token=`', examples: ['Q0pP2e5Hn7mZkq0cJ3v9w1x4y6z8A_B-CdEfGhIjKlM'] })

/** Asks for a mail. */
export const MailRequestSchema = Type.Object({ email: EmailSchema }, { title: 'MailRequest', additionalProperties: false })

export const EmailVerificationSchema = Type.Object({ token: LinkTokenSchema }, { title: 'EmailVerification', additionalProperties: false })

export const PasswordResetSchema = Type.Object({
  token: LinkTokenSchema,
  new_password: NewPasswordSchema
}, { title: 'PasswordReset', additionalProperties: false })

/** The same whoever asks: the mail tells the rest. */
export const AcceptedSchema = Type.Object({}, { title: 'Accepted' })
