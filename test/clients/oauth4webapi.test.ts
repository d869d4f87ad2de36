import * as oauth from 'oauth4webapi'
import t, { type Test } from 'tap'
import { buildIssuer } from '../listen.ts'

const CLIENT: oauth.Client = { client_id: 'first-party' }
const CREDENTIALS = { username: 'johndoe', password: 'secret' }
const insecure = { [oauth.allowInsecureRequests]: true }

async function discover (t: Test): Promise<oauth.AuthorizationServer> {
  const { issuer } = await buildIssuer(t)
  const url = new URL(issuer)
  return await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure }))
}

async function logIn (server: oauth.AuthorizationServer): Promise<oauth.TokenEndpointResponse> {
  const response = await oauth.genericTokenEndpointRequest(server, CLIENT, oauth.None(), 'password', CREDENTIALS, insecure)
  return await oauth.processGenericTokenEndpointResponse(server, CLIENT, response)
}

async function refresh (server: oauth.AuthorizationServer, token = ''): Promise<oauth.TokenEndpointResponse> {
  const response = await oauth.refreshTokenGrantRequest(server, CLIENT, oauth.None(), token, insecure)
  return await oauth.processRefreshTokenResponse(server, CLIENT, response)
}

t.test('oauth4webapi logs in, goes on and logs out', async (t) => {
  const server = await discover(t)

  const first = await logIn(server)
  const second = await refresh(server, first.refresh_token)
  const revocation = await oauth.revocationRequest(server, CLIENT, oauth.None(), second.refresh_token ?? '', insecure)

  t.match(first, { token_type: 'bearer', expires_in: 600, scope: 'profile account' })
  t.not(second.refresh_token, first.refresh_token)
  t.equal(await oauth.processRevocationResponse(revocation), undefined)
  await t.rejects(refresh(server, second.refresh_token), { name: 'ResponseBodyError', error: 'invalid_grant', status: 400 })
})

t.test('A service that uses oauth4webapi accepts the access token by RFC 9068', async (t) => {
  const server = await discover(t)
  const { access_token: token } = await logIn(server)
  const request = new Request('https://api.example.com/orders', { headers: { authorization: `Bearer ${token}` } })

  const claims = await oauth.validateJwtAccessToken(server, request, server.issuer, insecure)

  t.match(claims, { iss: server.issuer, aud: server.issuer, client_id: 'first-party', scope: 'profile account' })
})

t.test('A service that uses oauth4webapi refuses a token for another audience', async (t) => {
  const server = await discover(t)
  const { access_token: token } = await logIn(server)
  const request = new Request('https://api.example.com/orders', { headers: { authorization: `Bearer ${token}` } })

  await t.rejects(oauth.validateJwtAccessToken(server, request, 'https://api.example.com', insecure), { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' })
})
