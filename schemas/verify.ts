import { Type } from '@sinclair/typebox'

export const VerifyQuerySchema = Type.Object({
  scope: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 512,
    // RFC 6749 section 3.3; the value goes into a header of the answer.
    pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+( [\\x21\\x23-\\x5B\\x5D-\\x7E]+)*$',
    description: 'Scopes that the token needs, separated by spaces',
    examples: ['profile']
  }))
}, { title: 'VerifyQuery' })
