import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { areEqual, decodeBase64, decodeHex, decodeUnpadded, isWithin, MALFORMED, tooCostly, type ReadHash } from './format.ts'

const derive = promisify(pbkdf2)

const MAX_ITERATIONS = 2_000_000
const MAX_SALT = 128 // bytes
const KEY_BYTES = { sha1: 20, sha256: 32, sha512: 64 }

interface Layout {
  prefix: RegExp
  hash: RegExp
  decodeSalt: (text: string) => Buffer | undefined
  decodeKey: (text: string) => Buffer | undefined
}

type Fields = Record<'iterations' | 'salt' | 'key', string> & { digest?: keyof typeof KEY_BYTES }

// passlib writes `.` where base64 has `+`.
const decodeAdapted = (text: string): Buffer | undefined => decodeUnpadded(text.replaceAll('.', '+'))

const LAYOUTS: Record<'django' | 'passlib' | 'werkzeug', Layout> = {
  django: {
    prefix: /^pbkdf2_/,
    hash: /^pbkdf2_(?<digest>sha1|sha256|sha512)\$(?<iterations>[1-9]\d{0,9})\$(?<salt>[!-#%-~]+)\$(?<key>[A-Za-z0-9+\/]+=*)$/v,
    decodeSalt: (text) => Buffer.from(text),
    decodeKey: decodeBase64
  },
  passlib: {
    prefix: /^\$pbkdf2[$\-]/v,
    hash: /^\$pbkdf2(?:-(?<digest>sha256|sha512))?\$(?<iterations>[1-9]\d{0,9})\$(?<salt>[A-Za-z0-9.\/]+)\$(?<key>[A-Za-z0-9.\/]+)$/v,
    decodeSalt: decodeAdapted,
    decodeKey: decodeAdapted
  },
  werkzeug: {
    prefix: /^pbkdf2:/,
    hash: /^pbkdf2:(?<digest>sha1|sha256|sha512):(?<iterations>[1-9]\d{0,9})\$(?<salt>[!-#%-~]+)\$(?<key>[0-9a-f]+)$/,
    decodeSalt: (text) => Buffer.from(text),
    decodeKey: decodeHex
  }
}

function createReader ({ prefix, hash, decodeSalt, decodeKey }: Layout): ReadHash {
  return (text) => {
    if (!prefix.test(text)) return undefined
    const fields = hash.exec(text)?.groups as Fields | undefined
    if (fields === undefined) return MALFORMED

    const digest = fields.digest ?? 'sha1'
    const iterations = Number(fields.iterations)
    const salt = decodeSalt(fields.salt)
    const key = decodeKey(fields.key)
    if (iterations > MAX_ITERATIONS) return tooCostly(`PBKDF2 is taken up to ${MAX_ITERATIONS} iterations`)
    if (salt === undefined || key === undefined || !isWithin(salt.length, 1, MAX_SALT) || key.length !== KEY_BYTES[digest]) return MALFORMED
    return { verify: async (password) => areEqual(await derive(password, salt, iterations, key.length, digest), key) }
  }
}

/** `pbkdf2_sha256$ITERATIONS$SALT$BASE64`, also with sha1 and sha512. */
export const readDjangoPbkdf2 = createReader(LAYOUTS.django)

/** `$pbkdf2-sha256$ITERATIONS$SALT$KEY`, also with sha512, and `$pbkdf2$...` for SHA-1. */
export const readPasslibPbkdf2 = createReader(LAYOUTS.passlib)

/** `pbkdf2:sha256:ITERATIONS$SALT$HEX`, also with sha1 and sha512. */
export const readWerkzeugPbkdf2 = createReader(LAYOUTS.werkzeug)
