import { OAuthError, PublicError, type ErrorHeaders } from '../errors.ts'

/** Tells the caller to come again after that time, in milliseconds. */
export type Refusal = (waitMs: number) => PublicError

const MESSAGE = 'Too many attempts; try again later'

// RFC 9110 section 10.2.3: whole seconds, and who comes after them must not be too early.
function retryAfter (waitMs: number): ErrorHeaders {
  return { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) }
}

export const slowDown: Refusal = (waitMs) => new PublicError(429, 'slow_down', MESSAGE, retryAfter(waitMs))

export const tooManyMails: Refusal = (waitMs) => new PublicError(429, 'slow_down', 'Too many mails were asked for; try again later', retryAfter(waitMs))

export const slowDownOAuth: Refusal = (waitMs) => new OAuthError('slow_down', MESSAGE, { statusCode: 429, headers: retryAfter(waitMs) })
