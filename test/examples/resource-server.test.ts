import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { findFreePort } from '../../bench/free-port.ts'
import { buildApp } from '../../examples/resource-server/app.ts'
import { childEnv, REPOSITORY } from '../command.ts'
import { createUser, logIn, type Tokens } from '../helper.ts'
import { buildIssuer } from '../listen.ts'
import { createForge } from '../tokens.ts'

const EXAMPLE = join(REPOSITORY, 'examples/resource-server')
const ROOT = { grant_type: 'password', username: 'root', password: 'a password of the test' }

async function buildBoth (t: Test): Promise<{ latchkey: FastifyInstance, issuer: string, api: FastifyInstance, john: Tokens, root: Tokens }> {
  const { app: latchkey, issuer } = await buildIssuer(t)
  await createUser(latchkey, { username: 'root', password: ROOT.password, roles: ['user', 'admin'] })
  const api = await buildApp({ issuer, audience: issuer, jwksUrl: `${issuer}/.well-known/jwks.json` })
  t.teardown(async () => { await api.close() })
  return { latchkey, issuer, api, john: await logIn(latchkey), root: await logIn(latchkey, ROOT) }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

t.test('the example of an API', async (t) => {
  t.test('knows who it is by our tokens', async (t) => {
    const { latchkey, api, john } = await buildBoth(t)
    const me = await latchkey.inject({ url: '/users/me', headers: bearer(john.access_token) })

    const response = await api.inject({ url: '/notes', headers: bearer(john.access_token) })

    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { owner: me.json().id, notes: [] })
  })

  t.test('asks for a token, a valid one, and one that allows it', async (t) => {
    const { latchkey, api, john, root } = await buildBoth(t)
    const forge = await createForge(latchkey)
    const ask = async (url: string, token?: string) => {
      const { statusCode, headers } = await api.inject({ url, method: url === '/notes' ? 'GET' : 'DELETE', headers: token === undefined ? {} : bearer(token) })
      return [statusCode, headers['www-authenticate']]
    }

    t.strictSame(await ask('/notes'), [401, 'Bearer'])
    for (const token of ['nonsense', forge.withClaims({ exp: 1 }), forge.withClaims({ iss: 'https://elsewhere.example.com' }), forge.withClaims({ aud: 'https://elsewhere.example.com' }), forge.withHeader({ typ: 'JWT' }), forge.withHeader({ kid: 'unknown' }), forge.withClaims({ sid: undefined })]) {
      t.strictSame(await ask('/notes', token), [401, 'Bearer error="invalid_token"'])
    }
    t.strictSame(await ask('/admin/notes', john.access_token), [403, 'Bearer error="insufficient_scope", scope="users:write"'])
    t.strictSame(await ask('/admin/notes', root.access_token), [204, undefined])
  })

  t.test('takes a key that is new', async (t) => {
    const { latchkey, issuer } = await buildBoth(t)
    await latchkey.keyRing.rotate({ immediately: true }, {})
    const api = await buildApp({ issuer, audience: issuer, jwksUrl: `${issuer}/.well-known/jwks.json` })
    t.teardown(async () => { await api.close() })
    const { access_token: token } = await logIn(latchkey)

    t.equal((await api.inject({ url: '/notes', headers: bearer(token) })).statusCode, 200)
  })

  t.test('does not blame the caller when the keys can not be had', async (t) => {
    const { issuer, john } = await buildBoth(t)
    for (const jwksUrl of [`${issuer}/nothing`, `http://127.0.0.1:${await findFreePort()}/`]) {
      const api = await buildApp({ issuer, audience: issuer, jwksUrl })
      t.teardown(async () => { await api.close() })

      const response = await api.inject({ url: '/notes', headers: bearer(john.access_token) })

      t.equal(response.statusCode, 500)
      t.strictSame(response.json(), { error: 'internal_error' })
    }
  })

  t.test('starts as its README says', async (t) => {
    const { issuer, john } = await buildBoth(t)
    const port = await findFreePort()
    const child = spawn(process.execPath, ['server.ts'], { cwd: EXAMPLE, env: childEnv({ ISSUER: issuer, PORT: String(port) }) })
    const stderr = text(child.stderr)
    const closed = once(child, 'close')
    let log = ''
    for await (const chunk of child.stdout) {
      log += String(chunk)
      if (log.includes('Server listening at')) break
    }

    const alive = await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } })
    const notes = await fetch(`http://127.0.0.1:${port}/notes`, { headers: { ...bearer(john.access_token), connection: 'close' } })
    child.kill('SIGTERM')
    const [code] = await closed

    t.strictSame([alive.status, notes.status, code, await stderr], [200, 200, 0, ''])
  })

  t.test('uses the versions that are tested here', async (t) => {
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as { dependencies: Record<string, string>, devDependencies: Record<string, string> }
    const { dependencies, devDependencies } = read(join(REPOSITORY, 'package.json'))

    for (const [name, version] of Object.entries(read(join(EXAMPLE, 'package.json')).dependencies)) t.equal({ ...dependencies, ...devDependencies }[name], version, name)
  })
})
