import { decodeJwt } from 'jose'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { build, JOHN, logIn, postForm, PUBLIC_URL, requestToken } from '../helper.ts'

const METADATA = '/.well-known/oauth-authorization-server'
const JWKS = '/.well-known/jwks.json'

const HOSTILE = {
  host: 'evil.example',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'gopher',
  'x-forwarded-port': '666',
  'x-forwarded-prefix': '/evil',
  'x-forwarded-for': '127.0.0.1',
  'x-original-url': '/evil',
  forwarded: 'for=127.0.0.1;host=evil.example;proto=gopher'
}

async function read (app: FastifyInstance, url: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await app.inject({ url, headers })
}

t.test('the metadata says where everything is', async (t) => {
  const app = await build(t)

  const response = await read(app, METADATA)

  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(response.json(), {
    issuer: PUBLIC_URL,
    token_endpoint: `${PUBLIC_URL}/token`,
    revocation_endpoint: `${PUBLIC_URL}/revoke`,
    jwks_uri: `${PUBLIC_URL}/.well-known/jwks.json`,
    scopes_supported: ['profile', 'account', 'users:read', 'users:write', 'roles:read', 'roles:write', 'audit:read', 'keys:read', 'keys:write'],
    grant_types_supported: ['password', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    service_documentation: `${PUBLIC_URL}/docs`
  })
})

t.test('without the documentation page the metadata names none', async (t) => {
  const app = await build(t, { DOCS: 'false' })

  const { service_documentation: page, ...rest } = (await read(app, METADATA)).json()

  t.equal(page, undefined)
  t.equal(Object.keys(rest).length, 8)
})

t.test('the issuer of the metadata is that of the tokens, byte for byte', async (t) => {
  for (const url of [PUBLIC_URL, `${PUBLIC_URL}/`, 'http://localhost:8000/auth', 'http://LOCALHOST:8000/Auth/', 'https://login.example:443', 'https://bücher.example']) {
    t.test(url, async (t) => {
      const app = await build(t, { PUBLIC_URL: url })
      const { access_token: token } = await logIn(app)

      const { issuer } = (await read(app, METADATA)).json()

      t.equal(decodeJwt(token).iss, issuer)
      t.equal(decodeJwt(token).aud, issuer)
      t.notMatch(issuer, /[?#]|\/$/)
    })
  }
})

for (const publicUrl of [PUBLIC_URL, 'http://localhost:8000/auth']) {
  t.test(`behind ${publicUrl} every address of the metadata answers`, async (t) => {
    const app = await build(t, { PUBLIC_URL: publicUrl })
    // The proxy that makes the path of the issuer takes it away again.
    const toLocal = (url: string): string => {
      t.equal(url.slice(0, publicUrl.length), publicUrl)
      return url.slice(publicUrl.length)
    }
    const metadata = (await read(app, METADATA)).json()

    const token = await postForm(app, toLocal(metadata.token_endpoint), JOHN)
    const revocation = await postForm(app, toLocal(metadata.revocation_endpoint), { token: 'x' })
    const keys = await read(app, toLocal(metadata.jwks_uri))
    const page = await read(app, toLocal(metadata.service_documentation))

    t.strictSame([token, revocation, keys, page].map(({ statusCode }) => statusCode), [200, 200, 200, 200])
    t.match(page.headers['content-type'], 'text/html')
  })
}

t.test('the metadata of an issuer with a path is found where RFC 8414 looks for it', async (t) => {
  const app = await build(t, { PUBLIC_URL: 'http://localhost:8000/auth/v1' })

  const inserted = await read(app, `${METADATA}/auth/v1`)
  const appended = await read(app, METADATA)

  t.equal(inserted.statusCode, 200)
  t.equal(inserted.body, appended.body)
  t.equal(inserted.headers['cache-control'], 'public, max-age=300')
  t.equal((await read(app, `${METADATA}/other`)).statusCode, 404)
})

t.test('the grants of the metadata are those that are accepted', async (t) => {
  const app = await build(t)
  const supported: string[] = (await read(app, METADATA)).json().grant_types_supported
  const others = [
    'authorization_code', 'client_credentials', 'implicit', 'PASSWORD', 'password ', 'constructor', '__proto__',
    'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange'
  ]
  const { refresh_token: refreshToken } = await logIn(app)

  for (const grantType of supported) {
    const response = await requestToken(app, { ...JOHN, refresh_token: refreshToken, grant_type: grantType })
    t.equal(response.statusCode, 200, grantType)
  }
  for (const grantType of others) {
    const response = await requestToken(app, { ...JOHN, refresh_token: refreshToken, grant_type: grantType })
    t.equal(response.json().error, 'unsupported_grant_type', grantType)
  }
})

t.test('the scopes of the metadata are those that an administrator gets', async (t) => {
  const app = await build(t)
  const { scopes_supported: supported } = (await read(app, METADATA)).json()
  const { scopes } = await app.db.selectFrom('roles').select('scopes').where('name', '=', 'admin').executeTakeFirstOrThrow()

  t.strictSame(scopes.split(' '), supported)
})

for (const url of [METADATA, JWKS]) {
  t.test(`${url} may be kept by everybody for five minutes`, async (t) => {
    const app = await build(t)

    const { headers } = await read(app, url)

    t.equal(headers['cache-control'], 'public, max-age=300')
    t.equal(headers.pragma, undefined)
    t.equal(headers.vary, undefined)
    t.equal(headers['cross-origin-resource-policy'], 'cross-origin')
    t.equal(headers['x-content-type-options'], 'nosniff')
  })

  t.test(`${url} is kept for each origin where CORS is on`, async (t) => {
    const app = await build(t, { CORS_ORIGINS: 'https://one.example,https://two.example' })

    const { headers } = await read(app, url, { origin: 'https://one.example' })

    t.match(headers, { vary: 'Origin', 'access-control-allow-origin': 'https://one.example' })
  })

  t.test(`${url} does not depend on what the request says`, async (t) => {
    const app = await build(t, { TRUST_PROXY: '127.0.0.1/32' })
    const plain = await read(app, url)

    const hostile = await read(app, url, { ...HOSTILE, authorization: 'Bearer x', cookie: 'a=b' })

    const { date: _, ...expected } = plain.headers
    t.equal(hostile.body, plain.body)
    t.match(hostile.headers, expected)
  })

  t.test(`${url} is there while the database is not`, async (t) => {
    const app = await build(t)
    const before = await read(app, url)
    await app.db.schema.alterTable('roles').renameTo('hidden').execute()
    t.equal((await read(app, '/health/ready')).statusCode, 503)

    const response = await read(app, url)

    t.equal(response.statusCode, 200)
    t.equal(response.body, before.body)
  })

  t.test(`${url} is only for reading`, async (t) => {
    const app = await build(t)

    const response = await app.inject({ method: 'POST', url })

    t.equal(response.statusCode, 405)
    t.equal(response.headers.allow, 'GET, HEAD')
    t.equal(response.headers['cache-control'], 'no-store')
  })
}
