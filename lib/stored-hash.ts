import { readBcrypt } from './password-formats/bcrypt.ts'
import { MALFORMED, type ForeignHash, type ReadHash } from './password-formats/format.ts'
import { readDjangoPbkdf2, readPasslibPbkdf2, readWerkzeugPbkdf2 } from './password-formats/pbkdf2.ts'
import { readPhpass } from './password-formats/phpass.ts'
import { readSaltedSha } from './password-formats/salted-sha.ts'
import { readPhcScrypt, readWerkzeugScrypt } from './password-formats/scrypt.ts'
import { parseArgon2Hash, type Argon2Hash } from './phc.ts'

/** A stored password hash: one of Argon2, one that another program made, or a text that can be none. */
export type StoredHash = { argon2: Argon2Hash } | ForeignHash

const MAX_TEXT = 512 // characters

const FOREIGN_FORMATS: readonly ReadHash[] = [
  readBcrypt, readPhcScrypt, readWerkzeugScrypt, readDjangoPbkdf2, readPasslibPbkdf2, readWerkzeugPbkdf2, readSaltedSha, readPhpass
]

const UNKNOWN: ForeignHash = { problem: 'The format of the password hash is not known' }
const ARGON2_PROBLEM: ForeignHash = { problem: 'The password hash is malformed or costs too much: Argon2 is taken up to 256 MiB, 1 GiB in all passes, 20 passes and 16 lanes' }

/** Reads a hash in any format that is taken, strictly, and bounds what verifying it costs. Never throws and does no work. */
export function readStoredHash (text: string): StoredHash {
  if (text.length > MAX_TEXT) return MALFORMED
  if (text.startsWith('$argon2')) {
    const argon2 = parseArgon2Hash(text)
    return argon2 === undefined ? ARGON2_PROBLEM : { argon2 }
  }
  for (const read of FOREIGN_FORMATS) {
    const hash = read(text)
    if (hash !== undefined) return hash
  }
  return UNKNOWN
}
