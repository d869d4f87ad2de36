import { allowInsecureRequests, discovery, fetchProtectedResource, genericGrantRequest, None, refreshTokenGrant, ResponseBodyError, tokenRevocation, type Configuration } from 'openid-client'
import t, { type Test } from 'tap'
import { buildIssuer } from '../listen.ts'

const CREDENTIALS = { username: 'johndoe', password: 'secret' }

async function connect (t: Test): Promise<{ client: Configuration, profileUrl: URL }> {
  const { issuer } = await buildIssuer(t)
  const client = await discovery(new URL(issuer), 'first-party', undefined, None(), { algorithm: 'oauth2', execute: [allowInsecureRequests] })
  return { client, profileUrl: new URL('/users/me', issuer) }
}

t.test('openid-client finds everything by the metadata', async (t) => {
  const { client, profileUrl } = await connect(t)

  t.match(client.serverMetadata(), {
    issuer: profileUrl.origin,
    token_endpoint: `${profileUrl.origin}/token`,
    revocation_endpoint: `${profileUrl.origin}/revoke`,
    jwks_uri: `${profileUrl.origin}/.well-known/jwks.json`
  })
})

t.test('openid-client logs in, reads the profile, goes on and logs out', async (t) => {
  const { client, profileUrl } = await connect(t)

  const first = await genericGrantRequest(client, 'password', { ...CREDENTIALS, scope: 'profile' })
  const profile = await fetchProtectedResource(client, first.access_token, profileUrl, 'GET')
  const second = await refreshTokenGrant(client, first.refresh_token ?? '')
  await tokenRevocation(client, second.refresh_token ?? '')

  t.match(first, { token_type: 'bearer', expires_in: 600, scope: 'profile' })
  t.match(await profile.json(), { username: 'johndoe', full_name: 'John Doe' })
  t.not(second.refresh_token, first.refresh_token)
  await t.rejects(refreshTokenGrant(client, second.refresh_token ?? ''), { name: 'ResponseBodyError', error: 'invalid_grant' })
  await t.rejects(fetchProtectedResource(client, second.access_token, profileUrl, 'GET'), {
    cause: [{ scheme: 'bearer', parameters: { realm: 'latchkey', error: 'invalid_token' } }]
  })
})

t.test('openid-client understands why a log-in failed', async (t) => {
  const { client } = await connect(t)

  const error = await genericGrantRequest(client, 'password', { ...CREDENTIALS, password: 'wrong' }).catch((error: unknown) => error)

  t.ok(error instanceof ResponseBodyError)
  t.match(error, { status: 400, error: 'invalid_grant', error_description: 'Wrong username or password' })
})
