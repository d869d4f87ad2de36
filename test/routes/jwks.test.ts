import { calculateJwkThumbprint, decodeProtectedHeader, type JWK } from 'jose'
import t from 'tap'
import { build, logIn } from '../helper.ts'

const keyMembers = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['alg', 'crv', 'kid', 'kty', 'use', 'x'] },
  RS256: { kty: 'RSA', crv: undefined, members: ['alg', 'e', 'kid', 'kty', 'n', 'use'] }
}
for (const [alg, { kty, crv, members }] of Object.entries(keyMembers)) {
  t.test(`the key set shows the public members of ${alg} keys and no others`, async (t) => {
    const app = await build(t, { SIGNING_ALG: alg })
    await app.keyRing.rotate({ immediately: false }, {})
    const { access_token: token } = await logIn(app)

    const response = await app.inject('/.well-known/jwks.json')

    const { keys, ...rest } = response.json<{ keys: Array<Record<string, string>> }>()
    t.strictSame(rest, {})
    t.equal(keys.length, 2)
    t.equal(new Set(keys.map(({ kid }) => kid)).size, 2)
    t.ok(keys.some(({ kid }) => kid === decodeProtectedHeader(token).kid))
    for (const key of keys) {
      t.strictSame(Object.keys(key).toSorted(), members)
      t.match(key, { kty, use: 'sig', alg })
      t.equal(key.crv, crv)
      t.equal(key.kid, await calculateJwkThumbprint(key as unknown as JWK))
    }
  })
}
