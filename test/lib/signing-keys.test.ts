import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { calculateJwkThumbprint, CompactSign, compactVerify, importJWK, importPKCS8, importSPKI, type JWK } from 'jose'
import t from 'tap'
import { generateSigningKey, importSigningKey, type SigningAlgorithm, type SigningKey } from '../../lib/signing-keys.ts'

const members: Record<SigningAlgorithm, string[]> = {
  ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x']
}
const algorithms = Object.keys(members) as SigningAlgorithm[]
const made = Object.fromEntries(await Promise.all(algorithms.map(async (alg) => [alg, await generateSigningKey(alg)]))) as Record<SigningAlgorithm, SigningKey>

const pkcs8 = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }) as string

/** The id under which the key would be stored if its type were right. */
async function thumbprintOf (privateKey: KeyObject): Promise<string> {
  return await calculateJwkThumbprint(createPublicKey(privateKey).export({ format: 'jwk' }) as JWK)
}

for (const alg of algorithms) {
  t.test(alg, async (t) => {
    const { kid, publicJwk, publicPem, privatePem } = made[alg]

    t.test('signs what its public JWK and its public PEM verify, as another library sees it', async (t) => {
      const jws = await new CompactSign(Buffer.from('payload')).setProtectedHeader({ alg, kid }).sign(await importPKCS8(privatePem, alg))

      for (const publicKey of [await importJWK({ ...publicJwk }), await importSPKI(publicPem, alg)]) {
        const { payload, protectedHeader } = await compactVerify(jws, publicKey, { algorithms: [alg] })

        t.equal(Buffer.from(payload).toString(), 'payload')
        t.strictSame({ ...protectedHeader }, { alg, kid })
      }
    })

    t.test('is named by its RFC 7638 thumbprint', async (t) => {
      const { kty, crv, x, y, e, n } = publicJwk
      const required = JSON.stringify(alg === 'RS256' ? { e, kty, n } : { crv, kty, x, y })

      t.equal(kid, await calculateJwkThumbprint({ ...publicJwk }))
      t.equal(kid, createHash('sha256').update(required).digest('base64url'))
      t.equal(publicJwk.kid, kid)
    })

    t.test('shows no private member', async (t) => {
      t.strictSame(Object.keys(publicJwk).toSorted(), members[alg])
      t.strictSame({ alg: publicJwk.alg, use: publicJwk.use }, { alg, use: 'sig' })
      t.match(publicPem, /^-----BEGIN PUBLIC KEY-----\n/)
      t.match(privatePem, /^-----BEGIN PRIVATE KEY-----\n/)
    })

    t.test('comes back from its PEM as it was', async (t) => {
      t.strictSame(await importSigningKey({ kid, alg, privatePem }), made[alg])
    })

    t.test('is new every time', async (t) => {
      t.not((await generateSigningKey(alg)).kid, kid)
    })

    t.test('is refused under another name', async (t) => {
      for (const other of ['', 'k1', kid.toLowerCase(), `${kid} `, kid.slice(1), made[alg === 'ES256' ? 'EdDSA' : 'ES256'].kid]) {
        await t.rejects(importSigningKey({ kid: other, alg, privatePem }), new Error(`key ${other} is not the key that its thumbprint names`))
      }
    })

    for (const other of algorithms.filter((other) => other !== alg)) {
      t.test(`is refused for ${other}`, async (t) => {
        await t.rejects(importSigningKey({ kid, alg: other, privatePem }), new Error(`a key for ${other} is of another type, too small or on another curve`))
      })
    }
  })
}

t.test('generated RSA keys have 2048 bits and the exponent 65537', async (t) => {
  t.strictSame(createPublicKey(made.RS256.publicPem).asymmetricKeyDetails, { modulusLength: 2048, publicExponent: 65537n })
})

t.test('a key of the wrong size, exponent or curve is refused under its own thumbprint', async (t) => {
  const refused: Array<{ name: string, alg: SigningAlgorithm, key: KeyObject }> = [
    { name: 'RSA with 1024 bits', alg: 'RS256', key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey },
    { name: 'RSA with 2047 bits', alg: 'RS256', key: generateKeyPairSync('rsa', { modulusLength: 2047 }).privateKey },
    { name: 'RSA with the exponent 3', alg: 'RS256', key: generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey },
    { name: 'RSA with an exponent that is even larger', alg: 'RS256', key: generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 65539 }).privateKey },
    { name: 'P-256 labelled RS256', alg: 'RS256', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
    { name: 'P-384 labelled ES256', alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey },
    { name: 'P-521 labelled ES256', alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey },
    { name: 'secp256k1 labelled ES256', alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey },
    { name: 'Ed448 labelled EdDSA', alg: 'EdDSA', key: generateKeyPairSync('ed448').privateKey },
    { name: 'X25519 labelled EdDSA', alg: 'EdDSA', key: generateKeyPairSync('x25519').privateKey }
  ]
  for (const { name, alg, key } of refused) {
    t.test(name, async (t) => {
      await t.rejects(
        importSigningKey({ kid: await thumbprintOf(key), alg, privatePem: pkcs8(key) }),
        new Error(`a key for ${alg} is of another type, too small or on another curve`))
    })
  }

  t.test('RSA that is for PSS only', async (t) => {
    const { privateKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })

    await t.rejects(importSigningKey({ kid: 'k1', alg: 'RS256', privatePem: pkcs8(privateKey) }), new Error('a key for RS256 is of another type, too small or on another curve'))
  })
})

t.test('an algorithm that is not ours is refused', async (t) => {
  const { kid, privatePem } = made.ES256

  for (const alg of ['HS256', 'HS512', 'none', '', 'es256', 'ES384', 'ES256K', 'PS256', 'RSA1_5', 'A256GCM', 'Ed25519', 'toString', '__proto__']) {
    await t.rejects(importSigningKey({ kid, alg, privatePem }), new Error(`the algorithm of key ${kid} is not supported`))
  }
})

t.test('what is no private key in PEM is refused, and the error does not repeat it', async (t) => {
  const CANARY = 'Y2FuYXJ5LTdmM2E'
  const { kid, privatePem, publicPem } = made.ES256
  const texts = [
    { name: 'nothing', text: '' },
    { name: 'a word', text: CANARY },
    { name: 'a symmetric key as JWK', text: JSON.stringify({ kty: 'oct', k: CANARY, alg: 'HS256' }) },
    { name: 'a private key as JWK', text: JSON.stringify(createPrivateKey(privatePem).export({ format: 'jwk' })) },
    { name: 'garbage between the lines of a PEM', text: `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n` },
    { name: 'half a PEM', text: privatePem.slice(0, privatePem.length / 2) },
    { name: 'a public key', text: publicPem },
    { name: 'an encrypted key', text: createPrivateKey(privatePem).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: CANARY }) as string }
  ]
  for (const { name, text } of texts) {
    t.test(name, async (t) => {
      const error = await importSigningKey({ kid, alg: 'ES256', privatePem: text }).then(() => undefined, (error: Error) => error)

      t.equal(error?.message, `key ${kid} is not a private key`)
      t.notMatch(String(error?.stack) + String(error?.cause), CANARY)
    })
  }
})

type Jwk = JWK & { kid: string, alg: string }
interface Group { comment: string, private: Jwk | { keys: Jwk[] }, tests: Array<{ tcId: number, result: 'valid' | 'invalid' }> }

t.test('of the Wycheproof key sets', async (t) => {
  const file = new URL('../vectors/json_web_key_test.json', import.meta.url)
  const { testGroups } = JSON.parse(await readFile(file, 'utf8')) as { testGroups: Group[] }
  const cases = testGroups.flatMap(({ tests, ...group }) => tests.map((test) => ({ ...group, ...test })))

  // Sound keys of a type that we use: what is wrong with the first lies in how it was generated, with the
  // second in a member (`use`) that we don't store.
  const SOUND = new Set([7, 21])
  const VALID_FOR_US = 5

  /** What would have to be stored so that the loader meets this key; nothing if no private key can be read from it. */
  function toPem (jwk: Jwk): string | undefined {
    try {
      return pkcs8(createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }))
    } catch {
      return undefined
    }
  }

  t.test('all are read', async (t) => {
    t.equal(cases.length, 26)
    t.equal(cases.filter(({ result }) => result === 'invalid').length, 21)
  })

  for (const { tcId, comment, result, private: set } of cases) {
    const keys = 'keys' in set && Array.isArray(set.keys) ? set.keys as Jwk[] : [set as Jwk]

    t.test(`set ${tcId}, ${comment}, which is ${result}, has no key that is taken under its own kid`, async (t) => {
      for (const jwk of keys) {
        const privatePem = toPem(jwk) ?? JSON.stringify(jwk)

        await t.rejects(importSigningKey({ kid: jwk.kid, alg: jwk.alg, privatePem }))
      }
    })

    const isTaken = tcId === VALID_FOR_US || SOUND.has(tcId)
    t.test(`set ${tcId}, ${comment}, has ${isTaken ? 'a' : 'no'} key that is taken under its thumbprint`, async (t) => {
      for (const jwk of keys) {
        const privatePem = toPem(jwk)
        const loading = privatePem === undefined
          ? Promise.reject(new Error('no private key'))
          : importSigningKey({ kid: await thumbprintOf(createPrivateKey(privatePem)), alg: jwk.alg, privatePem })

        if (isTaken) t.strictSame(Object.keys((await loading).publicJwk).toSorted(), members[jwk.alg as SigningAlgorithm])
        else await t.rejects(loading)
      }
    })
  }
})
