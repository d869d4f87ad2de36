import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { RingKey } from '../../plugins/security/key-ring.ts'
import { build, readProfile } from '../helper.ts'
import { compact, createForge, encode, isRefused, signers } from '../tokens.ts'

interface Vector { tcId: number, comment: string, jws: string | object, result: 'valid' | 'invalid' }
interface Group { comment: string, private: JsonWebKey & { kid?: string }, public?: JsonWebKey & { kid?: string, alg?: string }, tests: Vector[] }

const file = new URL('../vectors/json_web_signature_test.json', import.meta.url)
const { testGroups } = JSON.parse(await readFile(file, 'utf8')) as { testGroups: Group[] }

// Cases that the file labels wrongly, see test/vectors/README.md.
const MISLABELLED = new Set([367, 370, 372, 373])

const app = await build(t)
const forge = await createForge(app)
const WRONG_SIGNATURE = 'the signature is wrong'

/** The key of the group as a key of the ring, if it can be one. */
function toRingKey ({ private: privateJwk, public: publicJwk }: Group): RingKey | undefined {
  const { alg, kid = 'none', use, key_ops: operations } = publicJwk ?? {}
  if ((alg !== 'ES256' && alg !== 'RS256') || use === 'enc' || operations !== undefined) return undefined
  const toPem = (key: KeyObject, type: 'pkcs8' | 'spki'): string => key.export({ format: 'pem', type }) as string
  return {
    kid,
    alg,
    privatePem: toPem(createPrivateKey({ key: privateJwk, format: 'jwk' }), 'pkcs8'),
    publicPem: toPem(createPublicKey({ key: publicJwk as JsonWebKey, format: 'jwk' }), 'spki'),
    publicJwk: { kty: 'unused', kid, use: 'sig', alg },
    createdAt: 0,
    activatesAt: 0,
    revokedAt: null
  }
}

function reasonOf (token: string): string | undefined {
  try {
    app.accessTokens.verify(token)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

// No payload of the file is a claim set, so the verifier refuses every case as it stands, the valid ones too,
// before it looks at the signature. What each signature is worth is shown by moving it: the verifier gets as far as
// the signature of a right header and claim set, and refuses that of every invalid case. That it would accept the valid
// cases can't be shown through it, only that it accepts what the same key signs.
for (const [index, group] of testGroups.entries()) {
  t.test(`group ${index}, ${group.comment}`, async (t) => {
    const key = toRingKey(group)
    const vectors = group.tests.filter(({ tcId }) => !MISLABELLED.has(tcId))
      .map(({ jws, ...rest }) => ({ ...rest, token: typeof jws === 'string' ? jws : JSON.stringify(jws) }))
    // Thumbprints name the keys of a real ring; here the kid of the case must find its key.
    if (key !== undefined) t.intercept(app.keyRing, 'find', { value: (kid: string) => kid === key.kid ? key : undefined })

    for (const { tcId, comment, result, token } of vectors) {
      t.test(`${result} case ${tcId}, ${comment}, is no token of ours`, async (t) => {
        await isRefused(t, app, token)
        t.not(reasonOf(token), WRONG_SIGNATURE)
      })
    }
    if (key === undefined) return

    const header = { alg: key.alg, typ: 'at+jwt', kid: key.kid }
    const input = `${encode(header)}.${encode(forge.claims)}`

    t.test('a claim set that the key signed is accepted', async (t) => {
      const token = compact(header, forge.claims, signers[key.alg === 'ES256' ? 'ES256' : 'RS256'](key.privatePem))

      const response = await readProfile(app, token)

      t.equal(response.statusCode, 200)
    })

    t.test('the signatures of the cases are worth nothing under another claim set', async (t) => {
      for (const { tcId, token } of vectors) {
        const signature = token.split('.')[2] ?? ''
        const moved = `${input}.${signature}`
        const isCanonical = signature !== '' && Buffer.from(signature, 'base64url').toString('base64url') === signature

        await isRefused(t, app, moved)
        if (isCanonical) t.equal(reasonOf(moved), WRONG_SIGNATURE, `case ${tcId}`)
      }
    })
  })
}

t.test('all cases were looked at, and the keys that can be ours were trusted', async (t) => {
  const trusted = testGroups.filter((group) => toRingKey(group) !== undefined)

  t.equal(testGroups.flatMap(({ tests }) => tests).length, 401)
  t.strictSame(trusted.map(({ comment }) => comment), ['es256', 'rs256', 'rs256', 'rfc7520', 'SpecialCaseEs256'])
})
