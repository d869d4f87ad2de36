import { createHash } from 'node:crypto'
import { areEqual, decodeBase64, isWithin, MALFORMED, type ReadHash } from './format.ts'

const MAX_SALT = 128 // bytes
const DIGESTS = {
  '': { name: 'sha1', length: 20 },
  256: { name: 'sha256', length: 32 },
  384: { name: 'sha384', length: 48 },
  512: { name: 'sha512', length: 64 }
}

// RFC 2307: the names of schemes may be written in capitals or not.
const SCHEME = /^\{(?<salted>s)?sha(?<bits>256|384|512)?\}/i

/** `{SSHA}`, `{SSHA256}`, `{SSHA384}` and `{SSHA512}` of LDAP servers, and the same without a salt (`{SHA}`). Costs next to nothing. */
export const readSaltedSha: ReadHash = (text) => {
  const match = SCHEME.exec(text)
  if (match === null) return undefined
  const { name, length } = DIGESTS[(match.groups?.bits ?? '') as keyof typeof DIGESTS]
  const bytes = decodeBase64(text.slice(match[0].length))
  const isSalted = match.groups?.salted !== undefined
  if (bytes === undefined || !isWithin(bytes.length - length, isSalted ? 1 : 0, isSalted ? MAX_SALT : 0)) return MALFORMED

  const digest = bytes.subarray(0, length)
  const salt = bytes.subarray(length)
  return { verify: async (password) => areEqual(createHash(name).update(password).update(salt).digest(), digest) }
}
