import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JWTVerifyResult } from 'jose'
import t from 'tap'
import { FORM_HEADERS, JOHN, logIn } from '../helper.ts'
import { buildIssuer } from '../listen.ts'

interface Expected { issuer: string, audience: string, typ: string }

async function verify (issuer: string, token: string, expected: Partial<Expected> = {}): Promise<JWTVerifyResult> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  return await jwtVerify(token, keys, { issuer, audience: issuer, typ: 'at+jwt', ...expected })
}

for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  t.test(`jose verifies an access token that is signed by ${alg} with the published keys`, async (t) => {
    const { app, issuer } = await buildIssuer(t, { SIGNING_ALG: alg })
    const { access_token: token } = await logIn(app)

    const { payload, protectedHeader } = await verify(issuer, token)

    t.strictSame(Object.keys(protectedHeader).toSorted(), ['alg', 'kid', 'typ'])
    t.match(protectedHeader, { alg, typ: 'at+jwt' })
    t.match(payload, { iss: issuer, aud: issuer, client_id: 'first-party', scope: 'profile account' })
  })
}

t.test('jose verifies a token for the audience that is set, and for no other', async (t) => {
  const { app, issuer } = await buildIssuer(t, { TOKEN_AUDIENCE: 'https://api.example.com' })
  const { access_token: token } = await logIn(app)

  t.match((await verify(issuer, token, { audience: 'https://api.example.com' })).payload, { aud: 'https://api.example.com' })
  await t.rejects(verify(issuer, token), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'aud' })
})

t.test('A key of another issuer does not verify the token', async (t) => {
  const [{ app }, { issuer: other }] = await Promise.all([buildIssuer(t), buildIssuer(t)])
  const { access_token: token } = await logIn(app)

  t.type(decodeProtectedHeader(token).kid, 'string')
  await t.rejects(verify(other, token), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
})

for (const type of ['application/x-www-form-urlencoded; charset=UTF-8', 'application/x-www-form-urlencoded;charset=utf-8', 'Application/X-WWW-Form-Urlencoded']) {
  t.test(`A form is a form when a client calls it ${type}`, async (t) => {
    const { issuer } = await buildIssuer(t)

    const response = await fetch(`${issuer}/token`, { method: 'POST', headers: { ...FORM_HEADERS, 'content-type': type }, body: new URLSearchParams(JOHN).toString() })

    t.equal(response.status, 200)
    await response.body?.cancel()
  })
}
