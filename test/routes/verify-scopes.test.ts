import t from 'tap'
import { buildVerifying, identity } from '../verifying.ts'

const { app, verify } = await buildVerifying(t)

t.test('a scope can be asked for', async (t) => {
  for (const scope of ['profile', 'account', 'profile account', 'account profile', 'profile profile']) {
    for (const query of [new URLSearchParams({ scope }).toString(), `scope=${encodeURIComponent(scope)}`]) {
      for (const path of ['/verify', '/verify/some/path']) {
        const response = await verify({ url: `${path}?${query}` })

        t.equal(response.statusCode, 204, `${path}?${query}`)
        t.equal(response.headers['x-auth-scope'], 'profile account', 'all that the token allows, not what was asked')
      }
    }
  }
})

t.test('a scope that the token lacks is a 403 that names what was asked for', async (t) => {
  for (const scope of ['users:read', 'profile users:read', 'profile account keys:write', 'PROFILE', 'unknown']) {
    const response = await verify({ url: `/verify/x?scope=${encodeURIComponent(scope)}` })

    t.equal(response.statusCode, 403)
    t.equal(response.headers['www-authenticate'], `Bearer realm="latchkey", error="insufficient_scope", scope="${scope}"`)
    t.equal(response.json().code, 'insufficient_scope')
    t.strictSame(identity(response), {})
  }
})

t.test('a misspelt parameter on the path itself is a 400, below it the query may be that of the request', async (t) => {
  for (const query of ['scopes=users:write', 'Scope=users:write', 'scope=profile&x=1']) {
    const refused = await verify({ url: `/verify?${query}` })
    const ignored = await verify({ url: `/verify/orders?${query}` })

    t.equal(refused.statusCode, 400, query)
    t.strictSame(identity(refused), {})
    t.equal(ignored.statusCode, 204, query)
  }
})

t.test('a scope that is none is a 400 and lets nobody through', async (t) => {
  const queries = [
    'scope=', 'scope', 'scope=%20', 'scope=profile%20', 'scope=%20profile', 'scope=profile%20%20account', 'scope=profile%0d%0aX-Auth-User:%20root',
    'scope=%22', 'scope=a%5Cb', 'scope=%00', 'scope=pr%C3%B6file', `scope=${'x'.repeat(513)}`,
    'scope=profile&scope=profile', 'scope=profile&scope=users:write', 'scope=users:write&scope=profile'
  ]
  for (const query of queries) {
    t.test(query.slice(0, 60), async (t) => {
      const response = await verify({ url: `/verify?${query}` })

      t.equal(response.statusCode, 400)
      t.equal(response.json().code, 'validation_failed')
      t.strictSame(identity(response), {})
      t.equal((await app.inject({ url: `/verify?${query}` })).statusCode, 401)
    })
  }
})
