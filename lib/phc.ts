import { decodeUnpadded, isWithin } from './password-formats/format.ts'

/** What an Argon2 hash in PHC string format says about itself. */
export interface Argon2Hash {
  variant: 'argon2i' | 'argon2d' | 'argon2id'
  /** 16 for version 1.0 of Argon2, 19 for version 1.3. */
  version: number
  memoryKib: number
  /** Passes over the memory. */
  timeCost: number
  parallelism: number
  /** Bytes. */
  saltLength: number
  /** Bytes. */
  hashLength: number
}

/** The cost that new hashes are made with. */
export interface Argon2Settings {
  memoryKib: number
  timeCost: number
  parallelism: number
}

const MAX_TEXT = 512 // characters
/** Several hashes run at a time. */
export const MAX_MEMORY_KIB = 256 * 1024
/** KiB times passes, which is what the time goes by: about as much as three seconds. */
export const MAX_MEMORY_TIMES_PASSES = 1024 * 1024
const MAX_TIME_COST = 20
const MAX_PARALLELISM = 16

// Canonical decimals of at most ten digits: no sign, no leading zero, always a safe integer.
const PHC_STRING = /^\$(?<variant>argon2(?:i|d|id))\$v=(?<version>16|19)\$m=(?<memory>[1-9]\d{0,9}),t=(?<time>[1-9]\d{0,9}),p=(?<lanes>[1-9]\d{0,9})\$(?<salt>[A-Za-z0-9+\/]+)\$(?<digest>[A-Za-z0-9+\/]+)$/v

type Fields = Record<'version' | 'memory' | 'time' | 'lanes' | 'salt' | 'digest', string> & Pick<Argon2Hash, 'variant'>

/**
 * Reads an Argon2 hash in PHC string format strictly. Undefined when it is malformed or out
 * of bounds: the cost stands in the stored text, and a library that believes a hostile one
 * takes all memory there is, which ends the process.
 */
export function parseArgon2Hash (text: string): Argon2Hash | undefined {
  const match = text.length > MAX_TEXT ? null : PHC_STRING.exec(text)
  if (match === null) return undefined

  const fields = match.groups as Fields // every group of the expression takes part in a match
  const hash = {
    variant: fields.variant,
    version: Number(fields.version),
    memoryKib: Number(fields.memory),
    timeCost: Number(fields.time),
    parallelism: Number(fields.lanes),
    saltLength: decodeUnpadded(fields.salt)?.length ?? 0,
    hashLength: decodeUnpadded(fields.digest)?.length ?? 0
  }
  const isBounded = isWithin(hash.parallelism, 1, MAX_PARALLELISM) &&
    isWithin(hash.memoryKib, 8 * hash.parallelism, MAX_MEMORY_KIB) && // 8 KiB a lane: RFC 9106 section 3.1
    isWithin(hash.timeCost, 1, MAX_TIME_COST) &&
    hash.memoryKib * hash.timeCost <= MAX_MEMORY_TIMES_PASSES &&
    isWithin(hash.saltLength, 8, 64) &&
    isWithin(hash.hashLength, 12, 64)
  return isBounded ? hash : undefined
}

/**
 * The cost of a hash that takes, after this one, as much time as is missing to one with the settings: memory times
 * passes is what the time goes by. Undefined if nothing is missing.
 */
export function missingCost (hash: Argon2Hash, { memoryKib, timeCost, parallelism }: Argon2Settings): Argon2Settings | undefined {
  const missing = memoryKib * timeCost - hash.memoryKib * hash.timeCost
  if (missing <= 0) return undefined
  const passes = Math.ceil(missing / memoryKib)
  return { memoryKib: Math.max(Math.round(missing / passes), 8 * parallelism), timeCost: passes, parallelism }
}

/** True unless the hash is argon2id version 1.3 (19) with exactly these settings. */
export function needsRehash (hash: Argon2Hash, settings: Argon2Settings): boolean {
  return hash.variant !== 'argon2id' ||
    hash.version !== 19 ||
    hash.memoryKib !== settings.memoryKib ||
    hash.timeCost !== settings.timeCost ||
    hash.parallelism !== settings.parallelism
}
