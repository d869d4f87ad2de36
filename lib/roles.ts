import { ValidationError } from './errors.ts'
import { FORBIDDEN_IN_TEXT } from './identifiers.ts'

/** A named list of scopes. */
export interface Role {
  name: string
  scopes: readonly string[]
  description: string
}

/** Neither can be changed or deleted: everybody has `user`, and `admin` has all scopes that there are. */
export const BUILT_IN_ROLES: readonly string[] = ['user', 'admin']

export const ROLE_NAME_PATTERN = '^[a-z][a-z0-9-]{0,62}$'
/** RFC 6749 section 3.3. */
export const SCOPE_TOKEN_PATTERN = '^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,64}$'
export const MAX_ROLE_SCOPES = 50
export const MAX_DESCRIPTION = 200

const ROLE_NAME = new RegExp(ROLE_NAME_PATTERN)
const SCOPE_TOKEN = new RegExp(SCOPE_TOKEN_PATTERN)

/**
 * Scopes are of this service or of others, which define them by using them.
 *
 * @returns the role with each scope once
 * @throws ValidationError for a name, a scope or a description that can't be one
 */
export function parseRole ({ name, scopes, description }: Role): Role {
  if (!isRoleName(name)) throw new ValidationError('Use 1 to 63 small letters, digits and hyphens in the name of the role, a letter first')
  if (scopes.length > MAX_ROLE_SCOPES) throw new ValidationError(`Use at most ${MAX_ROLE_SCOPES} scopes in a role`)
  if (!scopes.every((scope) => SCOPE_TOKEN.test(scope))) {
    throw new ValidationError('Use 1 to 64 ASCII letters, digits and signs in a scope, without spaces, quotation marks and backslashes')
  }
  if (description.length > MAX_DESCRIPTION) throw new ValidationError(`Use at most ${MAX_DESCRIPTION} characters in the description`)
  if (FORBIDDEN_IN_TEXT.test(description)) throw new ValidationError('Leave control characters and line breaks out of the description')
  return { name, scopes: [...new Set(scopes)], description }
}

export function isRoleName (text: string): boolean {
  return ROLE_NAME.test(text)
}

/** A role as the API and the command show one. */
export function toRoleBody ({ name, scopes, description }: Role): { name: string, scopes: string[], description: string, built_in: boolean } {
  return { name, scopes: [...scopes], description, built_in: BUILT_IN_ROLES.includes(name) }
}
