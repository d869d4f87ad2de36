import { scrypt, type BinaryLike, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { areEqual, decodeHex, decodeUnpadded, isWithin, MALFORMED, tooCostly, type ForeignHash, type ReadHash } from './format.ts'

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt)

const MIB = 1024 * 1024
// N * r * p: what OWASP recommends at the most. It takes 128 bytes for each N * r.
const MAX_WORK = 1024 * 1024
const MAX_MEMORY = 128 * MAX_WORK
const MAX_BLOCK_SIZE = 32
const MAX_PARALLELISM = 16
const MAX_SALT = 128 // bytes

interface Parameters {
  /** log2 of N. */
  rounds: number
  blockSize: number
  parallelism: number
  salt: Buffer | undefined
  key: Buffer | undefined
}

function isBounded ({ rounds, blockSize, parallelism }: Parameters): boolean {
  return blockSize <= MAX_BLOCK_SIZE && parallelism <= MAX_PARALLELISM && 2 ** rounds * blockSize * parallelism <= MAX_WORK
}

function readParameters (parameters: Parameters): ForeignHash {
  const { rounds, blockSize, parallelism, salt, key } = parameters
  if (!isBounded(parameters)) return tooCostly('scrypt is taken up to 128 MiB, N * r * p of 1048576, r of 32 and p of 16')
  if (rounds >= 16 * blockSize) return MALFORMED // RFC 7914 section 2
  if (salt === undefined || key === undefined || !isWithin(salt.length, 1, MAX_SALT) || !isWithin(key.length, 16, 64)) return MALFORMED
  // The library counts some small buffers too.
  const options = { N: 2 ** rounds, r: blockSize, p: parallelism, maxmem: MAX_MEMORY + MIB }
  return { verify: async (password) => areEqual(await derive(password, salt, key.length, options), key) }
}

const PHC_STRING = /^\$scrypt\$ln=(?<rounds>[1-9]\d?),r=(?<blockSize>[1-9]\d{0,9}),p=(?<parallelism>[1-9]\d{0,9})\$(?<salt>[A-Za-z0-9+\/]+)\$(?<key>[A-Za-z0-9+\/]+)$/v

/** `$scrypt$ln=16,r=8,p=1$SALT$KEY`, as passlib writes it. */
export const readPhcScrypt: ReadHash = (text) => {
  if (!text.startsWith('$scrypt$')) return undefined
  const fields = PHC_STRING.exec(text)?.groups as Record<'rounds' | 'blockSize' | 'parallelism' | 'salt' | 'key', string> | undefined
  if (fields === undefined) return MALFORMED
  return readParameters({
    rounds: Number(fields.rounds),
    blockSize: Number(fields.blockSize),
    parallelism: Number(fields.parallelism),
    salt: decodeUnpadded(fields.salt),
    key: decodeUnpadded(fields.key)
  })
}

const WERKZEUG = /^scrypt:(?<n>[1-9]\d{0,9}):(?<blockSize>[1-9]\d{0,9}):(?<parallelism>[1-9]\d{0,9})\$(?<salt>[!-#%-~]+)\$(?<key>[0-9a-f]+)$/

/** `scrypt:N:r:p$SALT$HEX`. */
export const readWerkzeugScrypt: ReadHash = (text) => {
  if (!text.startsWith('scrypt:')) return undefined
  const fields = WERKZEUG.exec(text)?.groups as Record<'n' | 'blockSize' | 'parallelism' | 'salt' | 'key', string> | undefined
  const rounds = Math.log2(Number(fields?.n))
  if (fields === undefined || !Number.isInteger(rounds) || rounds === 0) return MALFORMED
  return readParameters({
    rounds,
    blockSize: Number(fields.blockSize),
    parallelism: Number(fields.parallelism),
    salt: Buffer.from(fields.salt),
    key: decodeHex(fields.key)
  })
}
