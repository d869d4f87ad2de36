import { constants, createHmac, createPrivateKey, sign, type KeyLike, type KeyObject } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { logIn, readProfile } from './helper.ts'

/** A part of a token: text and bytes as they are, the rest as JSON. */
export type Part = string | Buffer | object

export type Claims = Record<string, unknown>

/** Makes the signature of what stands before the last dot. */
export type Signer = (input: string) => Buffer

export function encode (part: Part): string {
  const bytes = typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part)
  return Buffer.from(bytes).toString('base64url')
}

export function decode (segment: string | undefined): Claims {
  return JSON.parse(Buffer.from(segment ?? '', 'base64url').toString()) as Claims
}

export function compact (header: Part, payload: Part, signer: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signer(input).toString('base64url')}`
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }

const toKey = (key: string | KeyObject): KeyObject => typeof key === 'string' ? createPrivateKey(key) : key

/** How each algorithm signs with a key of its kind. */
export const signers = {
  ES256: (key: string | KeyObject): Signer => (input) => sign('sha256', Buffer.from(input), { key: toKey(key), dsaEncoding: 'ieee-p1363' }),
  ES384: (key: string | KeyObject): Signer => (input) => sign('sha384', Buffer.from(input), { key: toKey(key), dsaEncoding: 'ieee-p1363' }),
  RS256: (key: string | KeyObject): Signer => (input) => sign('sha256', Buffer.from(input), toKey(key)),
  PS256: (key: string | KeyObject): Signer => (input) => sign('sha256', Buffer.from(input), { key: toKey(key), ...pss }),
  EdDSA: (key: string | KeyObject): Signer => (input) => sign(null, Buffer.from(input), toKey(key)),
  HS256: (key: KeyLike): Signer => (input) => createHmac('sha256', key).update(input).digest(),
  HS384: (key: KeyLike): Signer => (input) => createHmac('sha384', key).update(input).digest(),
  HS512: (key: KeyLike): Signer => (input) => createHmac('sha512', key).update(input).digest()
}

export interface Forge {
  /** The real token of a log-in, and its parts. */
  token: string
  refreshToken: string
  header: Claims
  claims: Claims
  /** Signs as the service itself would, whatever the parts are. */
  sign: (header: Part, payload: Part) => string
  /** The real token with members of its header changed, or gone where undefined, and signed anew. */
  withHeader: (change: Claims) => string
  withClaims: (change: Claims) => string
}

/** Logs in, and forges tokens with the key of the service itself, which signs by ES256. */
export async function createForge (fastify: FastifyInstance, form?: Record<string, string>): Promise<Forge> {
  const { access_token: token, refresh_token: refreshToken } = await logIn(fastify, form)
  const [header, claims] = token.split('.').slice(0, 2).map(decode) as [Claims, Claims]
  const signer = signers.ES256(fastify.keyRing.current().privatePem)
  return {
    token,
    refreshToken,
    header,
    claims,
    sign: (head, payload) => compact(head, payload, signer),
    withHeader: (change) => compact({ ...header, ...change }, claims, signer),
    withClaims: (change) => compact(header, { ...claims, ...change }, signer)
  }
}

/** The whole answer to a token that is no good: RFC 6750 section 3.1, and nothing about the reason. */
export function isInvalidToken (t: Test, response: LightMyRequestResponse): void {
  const { 'www-authenticate': challenge, 'cache-control': cache, 'content-type': type, 'x-content-type-options': sniff } = response.headers
  t.strictSame({ status: response.statusCode, challenge, cache, type, sniff, body: response.json() }, {
    status: 401,
    challenge: 'Bearer realm="latchkey", error="invalid_token"',
    cache: 'no-store',
    type: 'application/json; charset=utf-8',
    sniff: 'nosniff',
    body: { statusCode: 401, code: 'invalid_token', error: 'Unauthorized', message: 'The access token is not valid or has expired' }
  })
}

/** Neither the verifier nor a protected resource takes the token. */
export async function isRefused (t: Test, fastify: FastifyInstance, token: string): Promise<void> {
  t.throws(() => fastify.accessTokens.verify(token), { name: 'InvalidTokenError' })
  isInvalidToken(t, await readProfile(fastify, token))
}
