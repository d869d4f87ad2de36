import { OAuthError } from './errors.ts'

/** Every scope of this service and what it allows. */
export const SCOPES: Readonly<Record<string, string>> = {
  profile: 'Read your own profile',
  account: 'Change your own account, password and sessions',
  'users:read': 'Read all users',
  'users:write': 'Create, change, disable and delete users',
  'roles:read': 'Read roles',
  'roles:write': 'Create, change and delete roles',
  'audit:read': 'Read the audit log',
  'keys:read': 'Read the state of the signing keys',
  'keys:write': 'Rotate the signing keys'
}

/** What every user may do with his own account. */
export const USER_SCOPES: readonly string[] = ['profile', 'account']

/** What an administrator may do. */
export const ALL_SCOPES: readonly string[] = Object.keys(SCOPES)

/** The longest `scope` parameter, in characters. */
export const MAX_SCOPE_LENGTH = 512

// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), single spaces between.
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/

/**
 * Reads a `scope` parameter as a set, RFC 6749 section 3.3: duplicates collapse, the order is kept.
 *
 * @throws OAuthError `invalid_scope` for bad syntax, the empty string included
 */
export function parseScope (text: string): string[] {
  if (text.length > MAX_SCOPE_LENGTH || !SCOPE.test(text)) throw new OAuthError('invalid_scope', 'The scope is not valid')
  return [...new Set(text.split(' '))]
}

/** Writes scopes as a `scope` parameter, RFC 6749 section 3.3. */
export function formatScope (scopes: Iterable<string>): string {
  return [...scopes].join(' ')
}

/** The requested scopes that are allowed, each once, in the order requested. */
export function intersectScopes (requested: readonly string[], allowed: readonly string[]): string[] {
  return [...new Set(requested)].filter((scope) => allowed.includes(scope))
}
