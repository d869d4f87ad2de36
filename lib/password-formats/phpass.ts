import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { areEqual, MALFORMED, tooCostly, type ReadHash } from './format.ts'

const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const MIN_ROUNDS = 7
const MAX_ROUNDS = 16

const HASH = /^\$[PH]\$(?<rounds>[.\/0-9A-Za-z])(?<salt>[.\/0-9A-Za-z]{8})(?<digest>[.\/0-9A-Za-z]{21}[.\/01])$/v

// Nothing off the event loop makes rounds of MD5, so others get their turn after as many as hash this much: about a millisecond.
const BYTES_PER_TURN = 32_768

async function stretch (password: Buffer, salt: string, rounds: number): Promise<Buffer> {
  const first = hash('md5', Buffer.concat([Buffer.from(salt), password]), 'buffer')
  const input = Buffer.concat([first, password])
  const roundsPerTurn = Math.ceil(BYTES_PER_TURN / input.length)
  for (let round = 1; round <= rounds; round++) {
    hash('md5', input, 'buffer').copy(input)
    if (round % roundsPerTurn === 0) await setImmediate()
  }
  return input.subarray(0, first.length)
}

/** Six bits a character, the lowest first. */
function encode (bytes: Buffer): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 3) {
    const group = bytes.subarray(start, start + 3)
    let value = group.readUIntLE(0, group.length)
    for (let digits = group.length + 1; digits > 0; digits--) {
      text += DIGITS.charAt(value & 63)
      value >>>= 6
    }
  }
  return text
}

/** `$P$` and `$H$`, the portable hashes of phpass, which WordPress wrote before 6.8 and phpBB 3. */
export const readPhpass: ReadHash = (text) => {
  if (!/^\$[PH]\$/.test(text)) return undefined
  const fields = HASH.exec(text)?.groups as Record<'rounds' | 'salt' | 'digest', string> | undefined
  if (fields === undefined) return MALFORMED
  const rounds = DIGITS.indexOf(fields.rounds)
  if (rounds > MAX_ROUNDS) return tooCostly(`phpass is taken up to 2^${MAX_ROUNDS} rounds`)
  if (rounds < MIN_ROUNDS) return MALFORMED
  const digest = Buffer.from(fields.digest)
  return { verify: async (password) => areEqual(Buffer.from(encode(await stretch(Buffer.from(password), fields.salt, 2 ** rounds))), digest) }
}
