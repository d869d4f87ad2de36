import { createHash, createPrivateKey, createPublicKey, generateKeyPair, sign, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

export type SigningAlgorithm = 'ES256' | 'RS256' | 'EdDSA'

/** A key pair that signs access tokens. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  kid: string
  alg: SigningAlgorithm
  /** PKCS #8 in PEM. */
  privatePem: string
  /** SPKI in PEM. */
  publicPem: string
  /** The member of the JWKS, RFC 7517. */
  publicJwk: PublicJwk
}

export interface PublicJwk {
  kty: string
  kid: string
  use: 'sig'
  alg: string
  crv?: string
  x?: string
  y?: string
  n?: string
  e?: string
}

const generate = promisify(generateKeyPair)
const RSA_BITS = 2048
const RSA_EXPONENT = 65537n

const generators: Record<SigningAlgorithm, () => Promise<{ privateKey: KeyObject }>> = {
  ES256: async () => await generate('ec', { namedCurve: 'P-256' }),
  RS256: async () => await generate('rsa', { modulusLength: RSA_BITS }),
  EdDSA: async () => await generate('ed25519')
}

export async function generateSigningKey (alg: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey } = await generators[alg]()
  return await describeKey(alg, privateKey)
}

/**
 * Reads a private key in PEM that was stored under an algorithm and a thumbprint.
 *
 * @throws Error that says what is wrong with the key: its type, size or curve, its algorithm, its halves, its `kid`
 */
export async function importSigningKey ({ kid, alg, privatePem }: { kid: string, alg: string, privatePem: string }): Promise<SigningKey> {
  if (!Object.hasOwn(generators, alg)) throw new Error(`the algorithm of key ${kid} is not supported`)
  const privateKey = readPrivateKey(kid, privatePem)
  const key = await describeKey(alg as SigningAlgorithm, privateKey)
  if (!isPair(privateKey)) throw new Error(`the halves of key ${kid} are of two keys`)
  if (key.kid !== kid) throw new Error(`key ${kid} is not the key that its thumbprint names`)
  return key
}

function readPrivateKey (kid: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new Error(`key ${kid} is not a private key`, { cause })
  }
}

// The private half brings the public one along, and nothing compares them: what such a key signs nobody could verify.
function isPair (privateKey: KeyObject): boolean {
  const digest = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const text = Buffer.from('latchkey')
  return verify(digest, text, createPublicKey(privateKey), sign(digest, text, privateKey))
}

async function describeKey (alg: SigningAlgorithm, privateKey: KeyObject): Promise<SigningKey> {
  const publicKey = createPublicKey(privateKey)
  if (!fits(alg, publicKey)) throw new Error(`a key for ${alg} is of another type, too small or on another curve`)
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' }) as JsonWebKey & { kty: string }
  const members = Object.fromEntries(Object.entries({ crv, x, y, n, e }).filter(([, value]) => value !== undefined))
  const kid = thumbprint({ kty, ...members })
  return {
    kid,
    alg,
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }) as string,
    publicJwk: { kty, kid, use: 'sig', alg, ...members }
  }
}

// RFC 7638 section 3.2: the required members, which is all that we have, sorted by name and without white space.
function thumbprint (members: Readonly<Record<string, string>>): string {
  const sorted = Object.fromEntries(Object.entries(members).toSorted(([a], [b]) => a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url')
}

function fits (alg: SigningAlgorithm, key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails
  switch (alg) {
    case 'ES256': return key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1'
    case 'RS256': return key.asymmetricKeyType === 'rsa' && Number(details?.modulusLength) >= RSA_BITS && details?.publicExponent === RSA_EXPONENT
    case 'EdDSA': return key.asymmetricKeyType === 'ed25519'
  }
}
