import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { calculateJwkThumbprint, type JWK } from 'jose'
import t from 'tap'
import { build, readProfile, refresh } from '../helper.ts'
import { compact, createForge, encode, isInvalidToken, isRefused, signers, type Claims, type Signer } from '../tokens.ts'

const app = await build(t)
const forge = await createForge(app)
const { header, claims } = forge
const { kid, publicPem, publicJwk, privatePem } = app.keyRing.current()

const foreign = {
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  k256: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ed25519: generateKeyPairSync('ed25519')
}

function openSsh (type: string, ...fields: Buffer[]): string {
  const blob = [Buffer.from(type), ...fields].map((field) => Buffer.concat([Buffer.from([0, 0, field.length >> 8, field.length & 0xff]), field]))
  return `${type} ${Buffer.concat(blob).toString('base64')}`
}

const fromBase64url = (text = ''): Buffer => Buffer.from(text, 'base64url')

t.test('a header as the service writes it, signed with its key, is accepted', async (t) => {
  const response = await readProfile(app, forge.withHeader({}))

  t.equal(response.statusCode, 200)
  t.strictSame(Object.keys(header).toSorted(), ['alg', 'kid', 'typ'])
})

t.test('the type may be written as a media type and in any case', async (t) => {
  for (const typ of ['application/at+jwt', 'AT+JWT', 'Application/At+JWT']) {
    const response = await readProfile(app, forge.withHeader({ typ }))

    t.equal(response.statusCode, 200, typ)
  }
})

t.test('a token without a signature is refused', async (t) => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    const [, , signature = ''] = forge.token.split('.')
    const input = `${encode({ ...header, alg })}.${encode(claims)}`
    for (const token of [input, `${input}.`, `${input}.${signature}`]) {
      await isRefused(t, app, token)
    }
  }
})

t.test('the public key is no secret to sign with', async (t) => {
  const { x, y } = publicJwk
  const point = Buffer.concat([Buffer.from([4]), fromBase64url(x), fromBase64url(y)])
  const jwks = await app.inject({ url: '/.well-known/jwks.json' })
  const secrets = {
    'as PEM': publicPem,
    'as PEM without the last line break': publicPem.trim(),
    'as DER': createPublicKey(publicPem).export({ format: 'der', type: 'spki' }),
    'as a JWK': JSON.stringify(publicJwk),
    'as a JWK without our members': JSON.stringify({ kty: 'EC', crv: 'P-256', x, y }),
    'as the key set': jwks.body,
    'as OpenSSH writes it': openSsh('ecdsa-sha2-nistp256', Buffer.from('nistp256'), point),
    'as a bare point': point,
    'when that is nothing': ''
  }
  for (const [name, secret] of Object.entries(secrets)) {
    t.test(name, async (t) => {
      for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
        for (const named of [kid, 'unknown', undefined]) {
          await isRefused(t, app, compact({ ...header, alg, kid: named }, claims, signers[alg](secret)))
        }
      }
    })
  }
})

t.test('the public RSA key is no secret either', async (t) => {
  const rsa = await build(t, { SIGNING_ALG: 'RS256' })
  const { kid, publicPem, publicJwk } = rsa.keyRing.current()
  const key = createPublicKey(publicPem)
  const secrets = [
    publicPem, publicPem.trim(), JSON.stringify(publicJwk),
    key.export({ format: 'pem', type: 'pkcs1' }), key.export({ format: 'der', type: 'pkcs1' }),
    openSsh('ssh-rsa', fromBase64url(publicJwk.e), fromBase64url(publicJwk.n))
  ]
  for (const secret of secrets) {
    await isRefused(t, rsa, compact({ alg: 'HS256', typ: 'at+jwt', kid }, claims, signers.HS256(secret)))
  }
})

t.test('only the algorithm of the key is accepted', async (t) => {
  const ours = signers.ES256(privatePem)
  const cases: Array<{ alg: unknown, signer: Signer }> = [
    { alg: 'RS256', signer: signers.RS256(foreign.rsa.privateKey) },
    { alg: 'PS256', signer: signers.PS256(foreign.rsa.privateKey) },
    { alg: 'ES384', signer: signers.ES384(foreign.p384.privateKey) },
    { alg: 'ES384', signer: signers.ES384(privatePem) },
    { alg: 'ES256K', signer: signers.ES256(foreign.k256.privateKey) },
    { alg: 'EdDSA', signer: signers.EdDSA(foreign.ed25519.privateKey) },
    { alg: 'Ed25519', signer: signers.EdDSA(foreign.ed25519.privateKey) },
    ...['RS256', 'ES384', 'es256', 'ES256 ', 'HS256', '', 'constructor', '__proto__', undefined, null, 7, ['ES256'], { alg: 'ES256' }].map((alg) => ({ alg, signer: ours }))
  ]
  for (const { alg, signer } of cases) {
    t.test(JSON.stringify(alg) ?? 'none', async (t) => {
      await isRefused(t, app, compact({ ...header, alg }, claims, signer))
    })
  }
})

t.test('a token of another key is refused, whatever its kid says', async (t) => {
  const { kty, crv, x, y } = foreign.p256.publicKey.export({ format: 'jwk' })
  const own = await calculateJwkThumbprint({ kty, crv, x, y } as JWK)
  const kids = [
    kid, own, undefined, null, '', 7, [kid], { kid }, kid.slice(1), `${kid}A`, ` ${kid}`, 'k'.repeat(64_000),
    '../../../../dev/null', '/dev/null', "' OR 1=1--", '__proto__', 'constructor', 'toString', 'hasOwnProperty', '\0'
  ]
  for (const named of kids) {
    t.test(`${JSON.stringify(named)?.slice(0, 60) ?? 'none'}`, async (t) => {
      await isRefused(t, app, compact({ ...header, kid: named }, claims, signers.ES256(foreign.p256.privateKey)))
    })
  }
})

t.test('a token of our key is refused if its kid is not there or names another', async (t) => {
  for (const named of [undefined, null, '', 7, [kid], { kid }, 'unknown', kid.toUpperCase(), `${kid} `, 'k'.repeat(129)]) {
    await isRefused(t, app, forge.withHeader({ kid: named }))
  }
})

t.test('a key that the token brings along is not believed', async (t) => {
  const { kty, crv, x, y } = foreign.p256.publicKey.export({ format: 'jwk' })
  const jwk = { kty, crv, x, y, use: 'sig', alg: 'ES256' }
  const own = await calculateJwkThumbprint(jwk as JWK)
  for (const named of [kid, own, undefined]) {
    // As an object it is refused for its nesting already; as text the key itself is what must not count.
    for (const brought of [jwk, JSON.stringify(jwk)]) {
      await isRefused(t, app, compact({ ...header, kid: named, jwk: brought }, claims, signers.ES256(foreign.p256.privateKey)))
    }
  }
})

t.test('a place to get a key from is never asked', async (t) => {
  let connections = 0
  const server = createServer((_request, response) => { response.end(JSON.stringify({ keys: [] })) })
  server.on('connection', () => { connections++ })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`

  for (const change of [{ jku: url }, { x5u: url }, { jku: url, kid: 'theirs' }, { x5c: [url] }, { 'x5t#S256': url, kid: url }, { kid: url }] as Claims[]) {
    await isRefused(t, app, compact({ ...header, ...change }, claims, signers.ES256(foreign.p256.privateKey)))
  }

  t.equal(connections, 0)
})

t.test('what would change the meaning of the token is refused', async (t) => {
  for (const crit of [['foo'], [], 'exp', ['alg'], ['exp', 'exp'], ['b64'], null, {}]) {
    await isRefused(t, app, forge.withHeader({ crit, foo: 1 }))
  }
  for (const change of [{ b64: false }, { b64: false, crit: ['b64'] }, { b64: true }, { zip: 'DEF' }, { zip: null }]) {
    await isRefused(t, app, forge.withHeader(change))
  }
})

t.test('every other type of token is refused', async (t) => {
  for (const typ of ['JWT', 'jwt', undefined, null, '', 'rt+jwt', 'id+jwt', 'at+jwt; charset=utf-8', ' at+jwt', 'at+jwt ', 'text/at+jwt', 'xat+jwt', 1, ['at+jwt']]) {
    await isRefused(t, app, forge.withHeader({ typ }))
  }
})

t.test('a member that stands twice is refused', async (t) => {
  const texts = [
    `{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"${kid}"}`,
    `{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"${kid}"}`,
    `{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"${kid}"}`,
    `{"alg":"ES256","typ":"at+jwt","kid":"x","kid":"${kid}"}`,
    `{"alg":"ES256","\\u0061lg":"ES256","typ":"at+jwt","kid":"${kid}"}`
  ]
  for (const text of texts) await isRefused(t, app, forge.sign(text, claims))
})

t.test('the two kinds of tokens do not pass for each other', async (t) => {
  const asAccessToken = await readProfile(app, forge.refreshToken)
  const asRefreshToken = await refresh(app, forge.token)

  isInvalidToken(t, asAccessToken)
  t.equal(asRefreshToken.statusCode, 400)
  t.equal(asRefreshToken.json().error, 'invalid_grant')
})
