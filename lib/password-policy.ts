import { WeakPasswordError } from './errors.ts'

/** Whose password it is to be. */
export interface PasswordOwner {
  username: string
  email?: string | null
}

/** What a new password must be, after NIST SP 800-63B-4 section 3.1.1.2: long and not guessed early. */
export interface PasswordPolicy {
  /**
   * Resolves to the password as it is to be hashed.
   * @throws {WeakPasswordError} whose message says what to change
   */
  check (password: string, owner: PasswordOwner): Promise<string>
}

const MAX_CHARACTERS = 256 // and so at most 1,024 bytes: a character has four at most in UTF-8
// A composed character comes from at most six UTF-16 units: longer text is refused unread.
const MAX_UNITS = 6 * MAX_CHARACTERS

const SERVICE_NAME = 'LATCHKEY'
/** Shorter names are part of too many good passwords. */
const MIN_NAME = 4
/** Characters of a unit that is weak whatever it is, once it is repeated. */
const SHORT_UNIT = 4

// The other rows of German and French keyboards differ by no more than their first keys.
const SEQUENCES = [
  '01234567890', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  'QWERTYUIOP', 'ASDFGHJKL', 'ZXCVBNM', 'QWERTZUIOP', 'AZERTYUIOP'
]

/** Pairs of neighbours in a sequence, forwards and backwards. */
const STEPS = new Set(SEQUENCES.flatMap((sequence) =>
  [...sequence.slice(1)].flatMap((character, index) => {
    const previous = sequence.charAt(index)
    return [previous + character, character + previous]
  })))

let commonPasswords: Promise<Set<string>> | undefined

// Nearly 50,000 entries, which a process that sets no password does without.
async function loadCommonPasswords (): Promise<Set<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].map(fold))
}

/** Makes spellings comparable. Unlike small letters, capitals have no form of their own at a word's end. */
function fold (text: string): string {
  return text.normalize('NFKC').toUpperCase()
}

/** The shortest text that gives this one when repeated, the last time perhaps cut; or undefined. */
function repeatedUnit (text: string): string | undefined {
  for (let length = 1; length <= text.length / 2; length++) {
    if (text.startsWith(text.slice(length))) return text.slice(0, length)
  }
  return undefined
}

/** Whether at least three in four characters are followed by themselves or by a neighbour. */
function isRun (text: string): boolean {
  const characters = [...text]
  const pairs = characters.slice(1).map((character, index) => [characters[index], character] as const)
  const steps = pairs.filter(([first, second]) => first === second || STEPS.has(`${first}${second}`))
  return steps.length >= pairs.length * 0.75
}

/** Names of the owner that must not be in the password. */
function namesOf ({ username, email }: PasswordOwner): string[] {
  const address = email ?? ''
  const localPart = address.slice(0, address.lastIndexOf('@'))
  return [username, address, localPart].map(fold).filter((name) => [...name].length >= MIN_NAME)
}

/**
 * The form of a password that is hashed: NFC, because the hash function sees bytes.
 * Undefined for what can't be a password: it is not well-formed Unicode (to the hash all lone
 * surrogates are one character), or it has over 256 characters (1,024 bytes of UTF-8).
 */
export function normalizePassword (text: string): string | undefined {
  if (text.length > MAX_UNITS || !text.isWellFormed()) return undefined

  const password = text.normalize('NFC')
  return [...password].length > MAX_CHARACTERS ? undefined : password
}

/** `minLength` counts Unicode characters (code points). */
export function createPasswordPolicy ({ minLength }: { minLength: number }): PasswordPolicy {
  return {
    async check (password, owner) {
      // No form carries a NUL, so nobody could log in with it.
      if (!password.isWellFormed() || password.includes('\0')) throw new WeakPasswordError('Use only valid Unicode characters in the password')

      const normalized = normalizePassword(password)
      if (normalized === undefined) {
        throw new WeakPasswordError(`Use at most ${MAX_CHARACTERS} characters in the password`)
      }
      if ([...normalized].length < minLength) {
        throw new WeakPasswordError(`Use at least ${minLength} characters in the password`)
      }

      const folded = fold(normalized)
      if (namesOf(owner).some((name) => folded.includes(name))) {
        throw new WeakPasswordError('Leave your username and e-mail address out of the password')
      }
      if (folded.replaceAll(SERVICE_NAME, '').length < folded.length / 2) {
        throw new WeakPasswordError('Leave the name of this service out of the password, or add much more to it')
      }
      if (isRun(folded)) {
        throw new WeakPasswordError('Use something else than characters in the order of the alphabet, the digits or the keyboard')
      }

      commonPasswords ??= loadCommonPasswords()
      const common = await commonPasswords
      if (common.has(folded)) throw new WeakPasswordError('Choose another password: this one is widely used and guessed first')

      const unit = repeatedUnit(folded)
      if (unit !== undefined && ([...unit].length <= SHORT_UNIT || common.has(unit))) {
        throw new WeakPasswordError('Use something else than one short or common word repeated')
      }
      return normalized
    }
  }
}
