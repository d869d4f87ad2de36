/** Extra response headers that belong to an error, such as `Retry-After`. */
export type ErrorHeaders = Readonly<Record<string, string>>

/**
 * An error that the caller is told about: its message is public, its `cause` is not. It has no stack trace: that is a
 * twentieth of what a refusal takes, and nobody needs to know where it was thrown.
 */
export class PublicError extends Error {
  override readonly name: string = 'PublicError'
  readonly statusCode: number
  /** Stable, machine-readable code of the contract, such as `validation_failed`. */
  readonly code: string
  readonly headers: ErrorHeaders

  constructor (statusCode: number, code: string, message: string, headers: ErrorHeaders = {}, options?: ErrorOptions) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = stackTraceLimit
    this.statusCode = statusCode
    this.code = code
    this.headers = headers
  }
}

export type OAuthErrorCode =
  | 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unauthorized_client'
  | 'unsupported_grant_type' | 'invalid_scope' | 'slow_down' | 'temporarily_unavailable'

/** An error of an OAuth endpoint, RFC 6749 section 5.2. */
export class OAuthError extends PublicError {
  override readonly name = 'OAuthError'

  constructor (code: OAuthErrorCode, description: string, { statusCode = 400, headers }: { statusCode?: number, headers?: ErrorHeaders } = {}) {
    super(statusCode, code, description, headers)
  }
}

/** Input that does not follow the contract; the message says what to change. */
export class ValidationError extends PublicError {
  override readonly name = 'ValidationError'

  constructor (message: string) {
    super(400, 'validation_failed', message)
  }
}

/** A password that the policy refuses; the message says what to change. */
export class WeakPasswordError extends PublicError {
  override readonly name = 'WeakPasswordError'

  constructor (message: string) {
    super(400, 'weak_password', message)
  }
}

/** The caller's scopes do not allow it. */
export class ForbiddenError extends PublicError {
  override readonly name = 'ForbiddenError'
  /** For the audit log. */
  readonly neededScopes: readonly string[]

  constructor (code: 'insufficient_scope' | 'beyond_own_scopes', message: string, neededScopes: readonly string[], headers?: ErrorHeaders) {
    super(403, code, message, headers)
    this.neededScopes = neededScopes
  }
}

/** Nothing is found under this URL, or nothing that the caller may know of. */
export function notFound (): PublicError {
  return new PublicError(404, 'not_found', 'There is nothing here')
}

/** The work can't be done now and can be tried again after `retryAfter` seconds. */
export class UnavailableError extends PublicError {
  override readonly name = 'UnavailableError'

  constructor (message: string, retryAfter: number, options?: ErrorOptions) {
    super(503, 'temporarily_unavailable', message, { 'retry-after': String(retryAfter) }, options)
  }
}

/** Stops the start of the process; the message is one clear sentence for the operator. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** @param settings that say where */
export function cannotListen (settings: string, cause: unknown): StartupError {
  return new StartupError(`${settings}: ${(cause as Error).message}`, { cause })
}
