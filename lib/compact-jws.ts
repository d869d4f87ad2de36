import { isUtf8 } from 'node:buffer'

/** A token that is refused. The message names the rule for the log and never repeats the token. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError'
}

/** The key that the token names is not known here, or not any more. */
export class UnknownKeyError extends InvalidTokenError {}

/** The parts of a JWS, RFC 7515 section 7.1, before anything is believed. */
export interface CompactJws {
  /** What the signature covers. */
  signingInput: string
  headerText: string
  payloadBytes: Buffer
  signature: Buffer
}

/** A header or claim set whose members are still to be checked. */
export type JsonObject = Record<string, unknown>

/** The longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 8192

function decodeSegment (segment: string | undefined): Buffer {
  if (!segment) throw new InvalidTokenError('a segment is missing or empty')

  // Buffer and the JWT libraries skip foreign characters and ignore unused bits, which gives one
  // token many spellings. Only the one spelling that encoding gives back is a token.
  const bytes = Buffer.from(segment, 'base64url')
  if (bytes.toString('base64url') !== segment) throw new InvalidTokenError('a segment is not canonical base64url')
  return bytes
}

function decodeText (bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new InvalidTokenError('the header or payload is not UTF-8')
  return bytes.toString()
}

/**
 * Splits a compact JWS strictly; the payload can be anything but empty.
 *
 * @throws InvalidTokenError unless there are three non-empty canonical base64url segments, at most
 *   `MAX_TOKEN_LENGTH` characters in all, and the header is UTF-8
 */
export function splitCompactJws (text: string): CompactJws {
  if (text.length > MAX_TOKEN_LENGTH) throw new InvalidTokenError('the token is too long')

  const [header, payload, signature, ...rest] = text.split('.')
  if (rest.length > 0) throw new InvalidTokenError('the token has more than three segments')

  return {
    headerText: decodeText(decodeSegment(header)),
    payloadBytes: decodeSegment(payload),
    signature: decodeSegment(signature),
    signingInput: `${header}.${payload}`
  }
}

function isObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScalar (value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidTokenError('the header or payload is not JSON')
  }
}

function parseObject (text: string): JsonObject {
  const value = parseJson(text)
  if (!isObject(value)) throw new InvalidTokenError('the header or payload is not a JSON object')

  // Our tokens hold scalars and lists of scalars. Asking for that comes before stringify, which recurses
  // and could be made to overflow the stack by deep nesting.
  const isFlat = Object.values(value).every((member) => isScalar(member) || (Array.isArray(member) && member.every(isScalar)))
  if (!isFlat) throw new InvalidTokenError('the header or payload is nested')

  // This is how we serialise. Asking for exactly that shuts out duplicate members, `1e400`, a byte order
  // mark, white space, odd escapes and every other difference between two JSON parsers at once.
  if (JSON.stringify(value) !== text) throw new InvalidTokenError('the header or payload is not written as we write it')
  return value
}

/**
 * The check that a token must pass before a library sees it: a strict compact JWS whose header and
 * payload are flat JSON objects in exactly our serialisation. The signature is not verified here.
 *
 * @throws InvalidTokenError for everything else
 */
export function parseCompactJws (text: string): { header: JsonObject, payload: JsonObject } {
  const { headerText, payloadBytes } = splitCompactJws(text)
  return { header: parseObject(headerText), payload: parseObject(decodeText(payloadBytes)) }
}
