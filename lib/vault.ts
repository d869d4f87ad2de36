import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto'

/** The keys that are derived from the service secret, one for each purpose (HKDF-SHA256, RFC 5869). */
export interface Vault {
  /** Encrypts with AES-256-GCM under the first secret; `context` must be the same to open it. */
  seal (plaintext: string, context: string): string
  /** Undefined if no secret opens it; `stale` tells that another than the first one did. */
  open (sealed: string, context: string): { plaintext: string, stale: boolean } | undefined
  /** HMAC-SHA256 under the first secret. */
  sign (data: Buffer): Buffer
  /** Whether any of the secrets signed it, in constant time for each. */
  verify (data: Buffer, mac: Buffer): boolean
  /** HMAC-SHA256 in base64url: stands for a text that must not be stored; another first secret gives another one. */
  pseudonym (text: string): string
}

const IV_BYTES = 12
const TAG_BYTES = 16

export function createVault (secrets: readonly string[]): Vault {
  const sealingKeys = secrets.map((secret) => derive(secret, 'latchkey seal v1'))
  const signingKeys = secrets.map((secret) => derive(secret, 'latchkey refresh token v1'))
  const [sealingKey] = sealingKeys
  const [signingKey] = signingKeys
  const [pseudonymKey] = secrets.map((secret) => derive(secret, 'latchkey pseudonym v1'))
  if (sealingKey === undefined || signingKey === undefined || pseudonymKey === undefined) throw new TypeError('A vault needs a secret')

  return {
    seal (plaintext, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealingKey, iv).setAAD(Buffer.from(context))
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')
    },

    open (sealed, context) {
      for (const key of sealingKeys) {
        const plaintext = decrypt(key, sealed, context)
        if (plaintext !== undefined) return { plaintext, stale: key !== sealingKey }
      }
      return undefined
    },

    sign: (data) => hmac(signingKey, data),

    verify: (data, mac) => signingKeys.some((key) => mac.length === 32 && timingSafeEqual(hmac(key, data), mac)),

    pseudonym: (text) => hmac(pseudonymKey, text).toString('base64url')
  }
}

// A KeyObject is taken over once; a Buffer would be for each token.
function derive (secret: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)))
}

function hmac (key: KeyObject, data: Buffer | string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

function decrypt (key: KeyObject, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  const iv = bytes.subarray(0, IV_BYTES)
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)
  if (tag.length !== TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context)).setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return undefined // the tag does not fit: another secret, another context, or a changed text
  }
}
