/** Headers of answers, as the API document describes them. */

export const ALLOW = {
  Allow: { type: 'string', description: 'With 405: the methods that are supported here', examples: ['GET, HEAD'] }
} as const

export const BASIC_CHALLENGE = {
  'WWW-Authenticate': { type: 'string', description: 'If the client used the Authorization header: how it has to', examples: ['Basic realm="latchkey"'] }
} as const

export const INVALID_TOKEN_CHALLENGE = {
  'WWW-Authenticate': { type: 'string', description: 'RFC 6750 section 3; without an error if no token was sent', examples: ['Bearer realm="latchkey", error="invalid_token"'] }
} as const

export const INSUFFICIENT_SCOPE_CHALLENGE = {
  'WWW-Authenticate': { type: 'string', description: 'RFC 6750 section 3; names the scopes that are needed', examples: ['Bearer realm="latchkey", error="insufficient_scope", scope="profile"'] }
} as const

export const NO_STORE = {
  'Cache-Control': { type: 'string', description: 'Nothing that holds a token is kept', examples: ['no-store'] }
} as const

export const MAY_BE_KEPT = {
  'Cache-Control': { type: 'string', description: 'How long the answer may be kept, in seconds', examples: ['public, max-age=300'] }
} as const

export const RETRY_AFTER = {
  'Retry-After': { type: 'integer', description: 'Seconds after which to try again', examples: [1] }
} as const
