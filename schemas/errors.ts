import { Type } from '@sinclair/typebox'

/** Every error body but those of the OAuth endpoints. */
export const ProblemSchema = Type.Object({
  statusCode: Type.Integer({ description: 'HTTP status' }),
  code: Type.String({ description: 'Stable code for programs', examples: ['invalid_token'] }),
  error: Type.String({ description: 'Name of the HTTP status', examples: ['Unauthorized'] }),
  message: Type.String({ description: 'Explanation for people', examples: ['The access token is not valid or has expired'] })
}, { title: 'Problem' })

/** Error body of the OAuth endpoints, RFC 6749 section 5.2. */
export const OAuthErrorSchema = Type.Object({
  error: Type.String({ description: 'Code of RFC 6749 section 5.2', examples: ['invalid_grant'] }),
  error_description: Type.String({ description: 'Explanation for people', examples: ['Wrong username or password'] })
}, { title: 'OAuthError' })
