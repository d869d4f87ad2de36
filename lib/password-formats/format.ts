import { timingSafeEqual } from 'node:crypto'

/** Whether a password, as it was typed, is the one that a hash was made of. Costs what the hash says. */
export type Verify = (password: string) => Promise<boolean>

/** What a text of a known format is: a hash of bounded cost, or one with a problem that the operator is told. */
export type ForeignHash = { verify: Verify } | { problem: string }

/** Undefined for a text of another format. Never throws and does no work. */
export type ReadHash = (text: string) => ForeignHash | undefined

export const MALFORMED: ForeignHash = { problem: 'The password hash is malformed' }

export function tooCostly (limit: string): ForeignHash {
  return { problem: `The password hash costs too much: ${limit}` }
}

export const isWithin = (value: number, low: number, high: number): boolean => value >= low && value <= high

/** The bytes of base64 with padding; undefined unless the text is the one that an encoder writes. */
export function decodeBase64 (text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** The same for base64 without padding. */
export function decodeUnpadded (text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === text ? bytes : undefined
}

/** The same for lower-case hexadecimal digits. */
export function decodeHex (text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'hex')
  return bytes.toString('hex') === text ? bytes : undefined
}

/** Takes as long whatever differs. */
export function areEqual (actual: Buffer, expected: Buffer): boolean {
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}
