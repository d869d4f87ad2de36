import { domainToASCII } from 'node:url'
import { ValidationError } from './errors.ts'

/** An e-mail address in the two forms that are stored. */
export interface Email {
  /** Where mail goes: the local part as typed, the domain in lower-case ASCII. */
  address: string
  /** What is compared and unique: all of it in lower case. */
  canonical: string
}

/** What a log-in looks up. */
export interface Identifier {
  kind: 'username' | 'email'
  value: string
}

const MAX_USERNAME = 64
const MAX_FULL_NAME = 200
const MAX_EMAIL = 254
const MAX_LOCAL_PART = 64

// A composed character comes from at most six UTF-16 units: longer text is refused
// before any work is spent on normalizing it.
const UNITS_PER_CHARACTER = 6

const USERNAME_CHARACTERS = /^[\p{L}\p{M}0-9._-]+$/u
// Hangul fillers and the like count as letters and are not seen.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u
// The second of two equal marks is drawn over the first one, UTS 39 section 5.4.
const REPEATED_MARK = /(\p{M})\1/u

// Scripts that write vowels with marks that no normalization composes.
const SCRIPTS_WITH_MARKS = [
  'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Tamil', 'Telugu', 'Kannada',
  'Malayalam', 'Sinhala', 'Thai', 'Lao', 'Khmer', 'Myanmar', 'Tibetan'
]
const SCRIPTS_WITHOUT_MARKS = [
  'Latin', 'Greek', 'Cyrillic', 'Armenian', 'Hebrew', 'Arabic', 'Georgian', 'Ethiopic'
]
// Scripts that one language mixes. The prolonged sound mark belongs to no single script.
const MIXED_SCRIPTS = [
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー',
  '\\p{Script=Han}\\p{Script=Hangul}',
  '\\p{Script=Han}\\p{Script=Bopomofo}'
]

const usernameOf = (letters: string, marks = ''): RegExp =>
  new RegExp(`^(?:[[${letters}]&&\\p{L}]${marks}|[0-9._\\-])+$`, 'v')

/** Each accepts the usernames of one script group: UTS 39, "single script". */
const SCRIPT_GROUPS = [
  ...SCRIPTS_WITHOUT_MARKS.map((script) => usernameOf(`\\p{Script=${script}}`)),
  ...SCRIPTS_WITH_MARKS.map((script) => usernameOf(`\\p{Script=${script}}`, `[\\p{Script=${script}}&&\\p{M}]{0,4}`)),
  ...MIXED_SCRIPTS.map((scripts) => usernameOf(scripts))
]

// `/users/me` is a route, and `__proto__` is no ordinary key of an object.
const RESERVED_USERNAMES = new Set(['me', '__proto__'])

// domainToASCII is a URL parser: it makes example.com of `exam%70le.com`, of
// `example.com/x` and of a line break inside, so it sees letters and digits only.
const DOMAIN_CHARACTERS = /^[\p{L}\p{M}\p{N}.-]+$/u
const LABEL = '[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?'
// No top-level domain starts with a digit, and every IPv4 address ends in a number.
const HOST_NAME = new RegExp(`^(?:${LABEL}\\.)+(?=[a-z])${LABEL}$`, 'u')
const ATEXT = '[A-Za-z0-9!#$%&\'*+/=?^_`{|}~\\-]+'
const DOT_STRING = new RegExp(`^${ATEXT}(?:\\.${ATEXT})*$`, 'u')

/** Control characters, and others with which a text would look like another one. */
export const FORBIDDEN_IN_TEXT = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}]/u

/**
 * A small sigma is made capital first, so that lower-casing alone decides which
 * of its two small forms is written. Some letters compose only when they are small.
 */
export function canonicalUsername (text: string): string {
  return text.normalize('NFKC').replace(/[σς]/g, 'Σ').toLowerCase().normalize('NFKC')
}

/**
 * The canonical form of a username: NFKC and lower case (as in RFC 8265), 1 to 64
 * characters, letters of one script, ASCII digits and `._-`.
 * The canonical form of a canonical form is itself. Nothing is trimmed.
 * @throws {ValidationError} when it can't be a username
 */
export function parseUsername (text: string): string {
  const username = text.length > MAX_USERNAME * UNITS_PER_CHARACTER ? '' : canonicalUsername(text)

  if (username === '' || [...username].length > MAX_USERNAME) {
    throw new ValidationError(`Use 1 to ${MAX_USERNAME} characters in the username`)
  }
  if (!USERNAME_CHARACTERS.test(username) || INVISIBLE.test(username)) {
    throw new ValidationError('Use only letters, digits, dots, underscores and hyphens in the username')
  }
  if (!/[\p{L}0-9]/u.test(username)) {
    throw new ValidationError('Use at least one letter or digit in the username')
  }
  if (REPEATED_MARK.test(username) || !SCRIPT_GROUPS.some((group) => group.test(username))) {
    throw new ValidationError('Use letters of one script only, without loose accents, in the username')
  }
  if (RESERVED_USERNAMES.has(username)) {
    throw new ValidationError('Choose another username: this one is reserved')
  }
  return username
}

/**
 * An address of at most 254 characters: a Dot-string of RFC 5321 section 4.1.2, one `@`,
 * and a host name with at least one dot. Plus tags and dots in the local part count.
 * @throws {ValidationError} when mail can't be sent there
 */
export function parseEmail (text: string): Email {
  if (text.length > MAX_EMAIL) throw new ValidationError(`Use at most ${MAX_EMAIL} characters in the e-mail address`)

  const [localPart = '', domain, ...rest] = text.split('@')
  if (domain === undefined || rest.length > 0) {
    throw new ValidationError('Write the e-mail address with exactly one @')
  }
  if (localPart.length > MAX_LOCAL_PART || !DOT_STRING.test(localPart)) {
    throw new ValidationError(`Write at most ${MAX_LOCAL_PART} ASCII letters, digits, signs and single dots before the @ of the e-mail address`)
  }
  const host = DOMAIN_CHARACTERS.test(domain) ? domainToASCII(domain) : ''
  if (!HOST_NAME.test(host)) {
    throw new ValidationError('Write a domain name such as example.com after the @ of the e-mail address')
  }
  const address = `${localPart}@${host}`
  if (address.length > MAX_EMAIL) throw new ValidationError(`Use at most ${MAX_EMAIL} characters in the e-mail address`)

  return { address, canonical: address.toLowerCase() }
}

/**
 * What a log-in looks up: text with an `@` is an e-mail address, other text a username.
 * Undefined for what can't be anybody's identifier. Never throws.
 */
export function canonicalIdentifier (text: string): Identifier | undefined {
  try {
    return text.includes('@')
      ? { kind: 'email', value: parseEmail(text).canonical }
      : { kind: 'username', value: parseUsername(text) }
  } catch {
    return undefined // an identifier that can't exist is an unknown one, not a different answer
  }
}

/**
 * A person's name in NFC, 1 to 200 characters, as typed apart from that.
 * @throws {ValidationError} when it is empty, too long, or holds characters that change how other text is shown
 */
export function parseFullName (text: string): string {
  const name = text.length > MAX_FULL_NAME * UNITS_PER_CHARACTER ? '' : text.normalize('NFC')

  if (!VISIBLE.test(name) || [...name].length > MAX_FULL_NAME) {
    throw new ValidationError(`Use 1 to ${MAX_FULL_NAME} characters in the full name`)
  }
  if (FORBIDDEN_IN_TEXT.test(name)) {
    throw new ValidationError('Leave control characters and line breaks out of the full name')
  }
  return name
}
