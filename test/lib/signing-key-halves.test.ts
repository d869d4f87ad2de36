import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import t from 'tap'
import { importSigningKey } from '../../lib/signing-keys.ts'

/** The id under which the key would be stored. */
async function thumbprintOf (privateKey: KeyObject): Promise<string> {
  return await calculateJwkThumbprint(createPublicKey(privateKey).export({ format: 'jwk' }) as JWK)
}

/** The PEM of the private key with the point of its public half replaced. */
function withPoint (privateKey: KeyObject, point: Buffer): string {
  const der = privateKey.export({ format: 'der', type: 'pkcs8' })
  point.copy(der, der.indexOf(pointOf(privateKey)))
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
}

function pointOf (key: KeyObject): Buffer {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' }) as JsonWebKey
  return Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

t.test('a private key with a point that is not its own is refused', async (t) => {
  const [key, other] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey]
  const offTheCurve = pointOf(key)
  offTheCurve.writeUInt8(offTheCurve.readUInt8(64) ^ 1, 64)
  const load = async (kid: string, point: Buffer) => await importSigningKey({ kid, alg: 'ES256', privatePem: withPoint(key, point) })
  const kid = await thumbprintOf(key)

  await t.resolves(load(kid, pointOf(key)))
  await t.rejects(load(kid, offTheCurve), new Error(`key ${kid} is not a private key`))
  await t.rejects(load(kid, Buffer.concat([Buffer.of(4), Buffer.alloc(64)])), new Error(`key ${kid} is not a private key`))
  const kidOfOther = await thumbprintOf(other)
  await t.rejects(load(kidOfOther, pointOf(other)), new Error(`the halves of key ${kidOfOther} are of two keys`))
})

t.test('an RSA key with the exponents of another is refused', async (t) => {
  const [key, other] = [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey]
  const { d, dp, dq, qi, p, q } = other.export({ format: 'jwk' })
  const mixed = createPrivateKey({ key: { ...key.export({ format: 'jwk' }), d, dp, dq, qi, p, q } as JsonWebKey, format: 'jwk' })
  const kid = await thumbprintOf(key)

  await t.rejects(importSigningKey({ kid, alg: 'RS256', privatePem: mixed.export({ format: 'pem', type: 'pkcs8' }) as string }), new Error(`the halves of key ${kid} are of two keys`))
})
