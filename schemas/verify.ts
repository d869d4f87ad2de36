import { Type } from '@sinclair/typebox'

const QUERY = {
  scope: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 512,
    // RFC 6749 section 3.3; the value goes into a header of the answer.
    pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+( [\\x21\\x23-\\x5B\\x5D-\\x7E]+)*$',
    description: 'Scopes that the token needs, separated by spaces',
    examples: ['profile']
  }))
}

/** Whoever configures the gateway writes this query; a misspelt `scope` must not ask for nothing. */
export const VerifyQuerySchema = Type.Object(QUERY, { title: 'VerifyQuery', additionalProperties: false })

/** Below `/verify/` the query of the request that is asked about may follow. */
export const ForwardedQuerySchema = Type.Object(QUERY, { title: 'ForwardedQuery' })
