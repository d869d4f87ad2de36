import { InvalidTokenError, type JsonObject } from './compact-jws.ts'

/** The claims of an access token, RFC 9068 section 2.2. Times are seconds since the epoch. */
export interface AccessTokenClaims {
  iss: string
  /** The user's id. */
  sub: string
  aud: string
  exp: number
  iat: number
  jti: string
  client_id: string
  /** Scopes separated by single spaces; may be empty. */
  scope: string
  /** The session's id. */
  sid: string
  auth_time: number
}

/** The longest lifetime of an access token that is believed, in seconds: RFC 6750 section 5.3 says an hour or less. */
export const MAX_ACCESS_TOKEN_TTL = 3600

/** How far the clock of another replica may be ahead, in seconds. */
export const CLOCK_LEEWAY = 60

const MAX_KID_LENGTH = 128

const TYPE = /^(?:application\/)?at\+jwt$/i

// Ours are UUIDs and the like. A NUL or a lone surrogate would reach the database,
// where PostgreSQL answers with an error instead of finding nothing.
const IDENTIFIER = /^[\x20-\x7E]{1,255}$/

function requireText (object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw new InvalidTokenError(`${name} is not a string`)
  return value
}

function requireIdentifier (payload: JsonObject, name: string): string {
  const value = requireText(payload, name)
  if (!IDENTIFIER.test(value)) throw new InvalidTokenError(`${name} is not an identifier`)
  return value
}

function requireSeconds (payload: JsonObject, name: string): number {
  const value = payload[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new InvalidTokenError(`${name} is not a time`)
  return value
}

function isAudience (aud: unknown, audience: string): boolean {
  if (!Array.isArray(aud)) return aud === audience
  return aud.includes(audience) && aud.every((member) => typeof member === 'string')
}

/**
 * Checks the header of an access token, RFC 9068 section 4, and says which key and algorithm it names.
 * Whether that key is ours and of that algorithm is for the caller to check.
 *
 * @throws InvalidTokenError for another type of token, an extension, or no usable `kid` and `alg`
 */
export function checkHeader (header: JsonObject): { kid: string, alg: string } {
  // Every other kind of token signed with the same key must not pass for an access token, RFC 8725 section 3.11.
  if (!TYPE.test(requireText(header, 'typ'))) throw new InvalidTokenError('typ is not at+jwt')

  // Each of these changes how the token must be processed, and we process none of them: RFC 7515 section 4.1.11, RFC 7797, RFC 7516.
  for (const name of ['crit', 'b64', 'zip']) {
    if (Object.hasOwn(header, name)) throw new InvalidTokenError(`${name} is not supported`)
  }

  const kid = requireText(header, 'kid')
  if (kid === '' || kid.length > MAX_KID_LENGTH) throw new InvalidTokenError('kid is empty or too long')
  return { kid, alg: requireText(header, 'alg') }
}

/**
 * Checks everything in a claim set that doesn't change with time, RFC 9068 sections 2.2 and 4.
 * An `aud` that lists several audiences comes back as the expected one.
 *
 * @throws InvalidTokenError unless every claim is there, of the right type, and meant for us
 */
export function checkClaims (payload: JsonObject, expected: { issuer: string, audience: string }): AccessTokenClaims {
  if (payload.iss !== expected.issuer) throw new InvalidTokenError('iss is not the expected issuer')
  if (!isAudience(payload.aud, expected.audience)) throw new InvalidTokenError('aud does not name the expected audience')
  // We never issue it, so there is no need to decide what it means.
  if (Object.hasOwn(payload, 'nbf')) throw new InvalidTokenError('nbf is not supported')

  const claims: AccessTokenClaims = {
    iss: expected.issuer,
    sub: requireIdentifier(payload, 'sub'),
    aud: expected.audience,
    exp: requireSeconds(payload, 'exp'),
    iat: requireSeconds(payload, 'iat'),
    jti: requireIdentifier(payload, 'jti'),
    client_id: requireIdentifier(payload, 'client_id'),
    scope: requireText(payload, 'scope'),
    sid: requireIdentifier(payload, 'sid'),
    auth_time: requireSeconds(payload, 'auth_time')
  }

  const lifetime = claims.exp - claims.iat
  if (lifetime <= 0 || lifetime > MAX_ACCESS_TOKEN_TTL) throw new InvalidTokenError('the lifetime is not that of an access token')
  return claims
}

/** Whether checked claims are in force at `nowSeconds`, seconds since the epoch. To be asked each time, also for a remembered token. */
export function isCurrent (claims: AccessTokenClaims, nowSeconds: number): boolean {
  return claims.exp > nowSeconds && claims.iat <= nowSeconds + CLOCK_LEEWAY
}
