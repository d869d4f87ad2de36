import { once } from 'node:events'
import { METHODS } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { build, createUser, logIn, readProfile } from '../helper.ts'
import { isInvalidToken } from '../tokens.ts'
import { buildVerifying, identity } from '../verifying.ts'

const { app, token, claims, verify } = await buildVerifying(t)

async function sendRaw (app: FastifyInstance, request: string): Promise<string> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request)
  return await text(socket)
}

const IDENTITY = {
  'x-auth-user': claims.sub,
  'x-auth-username': 'johndoe',
  'x-auth-scope': 'profile account',
  'x-auth-session': claims.sid
}

t.test('a valid token is answered with who it is, and nothing else', async (t) => {
  const response = await verify()

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.strictSame(identity(response), IDENTITY)
  t.match(response.headers, { 'cache-control': 'no-store', pragma: 'no-cache', vary: 'Authorization' })
  t.equal(response.headers['content-length'], undefined)
  t.equal(response.headers['content-type'], undefined)
})

t.test('the answer is the same for every method and path', async (t) => {
  for (const method of METHODS) {
    for (const url of ['/verify', '/verify/', '/verify/users?id=1', '/verify/%00%2f', '/verify//x', '/verify/ä']) {
      const response = await verify({ method: method as 'GET', url })

      t.equal(response.statusCode, 204, `${method} ${url}`)
      t.strictSame(identity(response), IDENTITY)
    }
    const stranger = await app.inject({ method: method as 'GET', url: '/verify/x' })
    t.equal(stranger.statusCode, 401, method)
  }
})

t.test('the body of the request is ignored, whatever it is', async (t) => {
  const bodies: Array<{ name: string, payload: string | Buffer, type?: string }> = [
    { name: 'broken JSON', payload: '{"a":', type: 'application/json' },
    { name: 'nothing where JSON is announced', payload: '', type: 'application/json' },
    { name: 'a prototype', payload: '{"__proto__":{"x":1}}', type: 'application/json' },
    { name: 'a form', payload: 'a=1&a=2&%ff', type: 'application/x-www-form-urlencoded' },
    { name: 'parts without their boundary', payload: 'x', type: 'multipart/form-data' },
    { name: 'bytes', payload: Buffer.alloc(100, 0xff), type: 'application/octet-stream' },
    { name: 'no type', payload: 'x' },
    { name: 'a type that is none', payload: 'x', type: 'none' },
    { name: 'a type with rubbish behind', payload: '{}', type: 'application/json(x)' },
    { name: 'an empty type', payload: 'x', type: '' },
    { name: 'far more than other routes take', payload: Buffer.alloc(1_000_000, 'x'), type: 'application/json' }
  ]
  for (const { name, payload, type } of bodies) {
    t.test(name, async (t) => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND', 'GET'] as const) {
        const response = await verify({ method: method as 'POST', payload }, type === undefined ? {} : { 'content-type': type })

        t.equal(response.statusCode, 204, method)
      }
    })
  }
})

t.test('over a real connection', async (t) => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const head = (start: string, ...lines: string[]): string => [`${start} HTTP/1.1`, 'Host: x', 'Connection: close', `Authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n')
  const requests = {
    'a path that leaves its place': head('GET /verify/../../admin'),
    'the same in other words': head('GET /verify/%2e%2e/%2E%2E/admin;x'),
    'chunked JSON that is broken': head('POST /verify/x', 'Content-Type: application/json', 'Transfer-Encoding: chunked') + '5\r\n{"a":\r\n0\r\n\r\n',
    'chunks without a type': head('PROPFIND /verify/x', 'Transfer-Encoding: chunked') + '1\r\nx\r\n0\r\n\r\n',
    'the length of a body that is not sent': head('POST /verify/x', 'Content-Type: application/json', 'Content-Length: 100'),
    'the length of a body that nobody could take': head('PUT /verify/x', 'Content-Length: 100000000000')
  }
  for (const [name, request] of Object.entries(requests)) {
    t.test(`${name} changes nothing`, async (t) => {
      const answer = await sendRaw(app, request)

      t.match(answer, /^HTTP\/1\.1 204 /)
      t.match(answer, `x-auth-user: ${String(claims.sub)}`)
    })
  }
})

t.test('a path that is none is a 400 and lets nobody through', async (t) => {
  const response = await verify({ url: '/verify/%zz' })

  t.equal(response.statusCode, 400)
  t.strictSame(identity(response), {})
})

t.test('who has no token, or a bad one, is told as everywhere', async (t) => {
  const stranger = await app.inject({ url: '/verify', headers: { 'x-auth-user': 'root' } })

  t.equal(stranger.statusCode, 401)
  t.equal(stranger.headers['www-authenticate'], 'Bearer realm="latchkey"')
  t.strictSame(identity(stranger), {})
  isInvalidToken(t, await verify({}, { authorization: 'Bearer x' }))
  isInvalidToken(t, await verify({ method: 'POST', payload: '{' }, { authorization: `Bearer ${token}x` }))
})

t.test('what the request says of the user or of itself is not believed', async (t) => {
  const hostile = {
    'x-auth-user': 'root',
    'x-auth-username': 'root',
    'x-auth-scope': 'users:write',
    'x-auth-session': 'x',
    x_auth_user: 'root',
    'x-user-id': 'root',
    'remote-user': 'root',
    'x-forwarded-user': 'root',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-method': 'OPTIONS',
    'x-forwarded-uri': '/public',
    'x-original-url': '/public',
    'x-original-method': 'OPTIONS',
    'x-http-method-override': 'OPTIONS'
  }

  t.strictSame(identity(await verify({}, hostile)), IDENTITY)
  t.equal((await verify({ url: '/verify?scope=users:write' }, hostile)).statusCode, 403)
  t.equal((await app.inject({ url: '/verify', headers: hostile })).statusCode, 401)
})

t.test('a username of another script is percent-encoded', async (t) => {
  for (const username of ['jürgen', 'дмитрий', '山田太郎', 'a.b-c_d']) {
    await createUser(app, { username })
    const { access_token: token } = await logIn(app, { grant_type: 'password', username, password: 'correct horse battery' })

    const { headers } = await verify({}, { authorization: `Bearer ${token}` })

    t.match(headers['x-auth-username'], /^[\w.%-]+$/)
    t.equal(decodeURIComponent(headers['x-auth-username'] as string), username)
    t.equal((await readProfile(app, token)).json().username, username)
  }
})

t.test('a preflight for another service is not answered in its place', async (t) => {
  const app = await build(t, { CORS_ORIGINS: 'https://app.example' })
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }

  for (const url of ['/verify', '/verify/x']) {
    const response = await app.inject({ method: 'OPTIONS', url, headers: preflight })
    t.equal(response.statusCode, 401, url)
  }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/users/me', headers: preflight })).statusCode, 204)
})

t.test('the API document shows it once', async (t) => {
  const { paths } = app.swagger() as { paths: Record<string, object> }

  t.strictSame(Object.keys(paths['/verify'] ?? {}), ['get'])
  t.equal(paths['/verify/*'] ?? paths['/verify/{*}'], undefined)
})
