import { ValidationError } from './errors.ts'
import { parseEmail, parseFullName, parseUsername, type Email } from './identifiers.ts'
import { isRoleName } from './roles.ts'
import { readStoredHash } from './stored-hash.ts'

/** A user as a line of an import describes one, with everything checked that can be without a database. */
export interface ImportedUser {
  username: string
  email: Email | null
  fullName: string | null
  passwordHash: string | null
  /** Each once, without `user`, which everybody has. */
  roles: string[]
  disabled: boolean
}

type Members = Readonly<Record<string, unknown>>

const MEMBERS = new Set(['username', 'email', 'full_name', 'password_hash', 'roles', 'disabled'])
const MAX_ROLES = 100

const isText = (value: unknown): value is string => typeof value === 'string'

/**
 * Reads one line of an import; undefined for an empty one.
 *
 * @throws ValidationError that says what is wrong and shows nothing of the line
 */
export function parseImportLine (bytes: Uint8Array): ImportedUser | undefined {
  const text = decode(bytes).trim()
  if (text === '') return undefined
  const members = parseObject(text)
  if (Object.keys(members).some((name) => !MEMBERS.has(name))) throw new ValidationError(`Use only the members ${[...MEMBERS].join(', ')}`)
  if (!isText(members.username)) throw new ValidationError('Give the username as a text')

  const email = textOf(members, 'email')
  const fullName = textOf(members, 'full_name')
  return {
    username: parseUsername(members.username),
    email: email === null ? null : parseEmail(email),
    fullName: fullName === null ? null : parseFullName(fullName),
    passwordHash: passwordHashOf(members),
    roles: rolesOf(members),
    disabled: isDisabled(members)
  }
}

function decode (bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) // without a byte order mark
  } catch {
    throw new ValidationError('Write the line in UTF-8')
  }
}

function parseObject (text: string): Members {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  } catch {
    // Its message would show part of the line.
  }
  throw new ValidationError('Write one JSON object in a line')
}

/** Programs that export often write null or an empty text for what is not there. */
function textOf (members: Members, name: string): string | null {
  const value = members[name] ?? ''
  if (!isText(value)) throw new ValidationError(`Give ${name} as a text, or leave it out`)
  return value === '' ? null : value
}

function passwordHashOf (members: Members): string | null {
  const passwordHash = textOf(members, 'password_hash')
  if (passwordHash === null) return null
  const hash = readStoredHash(passwordHash)
  if ('problem' in hash) throw new ValidationError(hash.problem)
  return passwordHash
}

function rolesOf (members: Members): string[] {
  const roles = members.roles ?? []
  if (!Array.isArray(roles) || roles.length > MAX_ROLES || !roles.every(isText)) throw new ValidationError(`Give roles as a list of up to ${MAX_ROLES} texts, or leave it out`)
  if (!roles.every(isRoleName)) throw new ValidationError('Give roles by their names: small letters, digits and hyphens, a letter first')
  return [...new Set(roles)].filter((role) => role !== 'user')
}

function isDisabled (members: Members): boolean {
  const disabled = members.disabled ?? false
  if (typeof disabled !== 'boolean') throw new ValidationError('Give disabled as true or false, or leave it out')
  return disabled
}
