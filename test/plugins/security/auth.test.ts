import { join } from 'node:path'
import autoload from '@fastify/autoload'
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { UnavailableError } from '../../../lib/errors.ts'
import { serverOptions } from '../../../lib/server-options.ts'
import { ProblemSchema } from '../../../schemas/errors.ts'
import { build, captureLog, logIn, readProfile, testConfig } from '../../helper.ts'
import { createForge } from '../../tokens.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The service as `buildApp` makes it, with routes of the test's own. */
async function buildWith (t: Test, addRoutes: (fastify: FastifyInstance) => void): Promise<FastifyInstance> {
  const config = testConfig(t)
  const fastify = Fastify(serverOptions(config, pino({ level: 'silent' })))
  t.teardown(async () => { await fastify.close() })
  await fastify.register(autoload, { dir: join(ROOT, 'plugins'), encapsulate: false, options: { app: { config } } })
  addRoutes(fastify)
  await fastify.register(autoload, { dir: join(ROOT, 'routes') })
  await fastify.ready()
  return fastify
}

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
const withScope = (scope: string): Record<string, string> => ({ grant_type: 'password', username: 'johndoe', password: 'secret', scope })

t.test('a route that states neither its scopes nor that it is public stops the start', async (t) => {
  const undecided: Array<Partial<RouteOptions>> = [{}, { config: {} }, { config: { oauth: true } }]
  for (const options of undecided) {
    const start = buildWith(t, (fastify) => {
      fastify.route({ method: 'POST', url: '/forgotten', ...options, handler: async () => 'open' })
    })

    await t.rejects(start, { message: 'POST /forgotten states neither its scopes nor that it is public' })
  }
})

t.test('a route needs all of its scopes', async (t) => {
  const app = await buildWith(t, (fastify) => {
    fastify.get('/any', { config: { scopes: [] } }, async ({ auth }) => auth.scopes)
    fastify.get('/both', { config: { scopes: ['profile', 'account'] } }, async ({ auth }) => auth.scopes)
  })
  const { access_token: all } = await logIn(app)
  const { access_token: some } = await logIn(app, withScope('profile'))

  t.test('where it has none, any token will do', async (t) => {
    t.strictSame((await app.inject({ url: '/any', headers: bearer(some) })).json(), ['profile'])
    t.equal((await app.inject({ url: '/any' })).statusCode, 401)
  })

  t.test('where it has two, one is not enough', async (t) => {
    const refused = await app.inject({ url: '/both', headers: bearer(some) })

    t.equal(refused.statusCode, 403)
    t.equal(refused.headers['www-authenticate'], 'Bearer realm="latchkey", error="insufficient_scope", scope="profile account"')
    t.strictSame((await app.inject({ url: '/both', headers: bearer(all) })).json(), ['profile', 'account'])
  })
})

t.test('the guard comes before everything else that a route does', async (t) => {
  const calls: string[] = []
  const hook = (name: string) => async (): Promise<void> => { calls.push(name) }
  const body = { type: 'object', required: ['name'] }
  const app = await buildWith(t, (fastify) => {
    fastify.post('/one', { config: { scopes: [] }, onRequest: hook('one'), schema: { body } }, async () => 'done')
    fastify.post('/many', { config: { scopes: [] }, onRequest: [hook('first'), hook('second')], schema: { body } }, async () => 'done')
  })
  const { access_token: token } = await logIn(app)

  for (const url of ['/one', '/many']) {
    const stranger = await app.inject({ method: 'POST', url, payload: '{broken', headers: { 'content-type': 'application/json' } })
    t.equal(stranger.statusCode, 401)
  }
  t.strictSame(calls, [])

  for (const url of ['/one', '/many']) {
    const owner = await app.inject({ method: 'POST', url, payload: { name: 'x' }, headers: bearer(token) })
    t.equal(owner.body, 'done')
  }
  t.strictSame(calls, ['one', 'first', 'second'])
})

t.test('a public route looks at no token, and so does a scope of public routes', async (t) => {
  const app = await buildWith(t, (fastify) => {
    fastify.get('/public', { config: { public: true } }, async ({ auth }) => ({ auth: auth ?? null }))
    fastify.register(async (scope) => {
      scope.allPublic = true
      scope.get('/third-party', async () => 'open')
    })
  })
  const { access_token: token } = await logIn(app)

  t.strictSame((await app.inject({ url: '/public', headers: bearer(token) })).json(), { auth: null })
  t.equal((await app.inject({ url: '/public', headers: bearer('x') })).statusCode, 200)
  t.equal((await app.inject({ url: '/third-party' })).body, 'open')
  t.equal(app.allPublic, false)
})

t.test('the API document says what the guard does', async (t) => {
  const gone = { description: 'Said by the route itself', ...ProblemSchema }
  const app = await buildWith(t, (fastify) => {
    fastify.get('/bare', { config: { scopes: ['users:read'] } }, async () => 'done')
    fastify.get('/own', { config: { scopes: [] }, schema: { summary: 'Own', response: { 401: gone } } }, async () => 'done')
  })

  const { paths } = app.swagger() as { paths: Record<string, { get: { summary?: string, security: unknown, responses: Record<string, { description: string }> } }> }

  t.strictSame(paths['/bare']?.get.security, [{ password: ['users:read'] }])
  t.strictSame(Object.keys(paths['/bare']?.get.responses ?? {}), ['401', '403'])
  t.strictSame(paths['/own']?.get.security, [{ password: [] }])
  t.equal(paths['/own']?.get.summary, 'Own')
  t.equal(paths['/own']?.get.responses[401]?.description, 'Said by the route itself')
})

t.test('the verifier of the JWT library lets nobody in', async (t) => {
  const app = await buildWith(t, (fastify) => {
    fastify.get('/library', { config: { public: true } }, async (request) => await request.jwtVerify())
  })
  const forge = await createForge(app)

  for (const token of [forge.token, forge.withHeader({ typ: 'JWT' }), forge.withClaims({ exp: undefined }), 'x']) {
    const response = await app.inject({ url: '/library', headers: bearer(token) })

    t.not(response.statusCode, 200)
    t.notMatch(response.body, forge.claims.sub as string)
  }
})

t.test('what is wrong here is not said to be wrong with the token', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  t.test('a fault in the verifier is a 500', async (t) => {
    t.intercept(app.accessTokens, 'verify', { value: () => { throw new Error('a secret reason') } })

    const response = await readProfile(app, token)

    t.equal(response.statusCode, 500)
    t.equal(response.headers['www-authenticate'], undefined)
    t.notMatch(response.body, 'secret')
  })

  t.test('a database that does not answer is a 503', async (t) => {
    t.intercept(app.sessions, 'findLive', { value: async () => { throw new UnavailableError('Later', 1) } })

    const response = await readProfile(app, token)

    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '1')
  })
})

t.test('the log says why a token was refused, and never the token', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const { withClaims } = await createForge(app)
  const token = withClaims({ iss: 'https://evil.example' })

  await readProfile(app, token)

  t.match(log.lines.find(({ reason }) => reason !== undefined), { reason: 'iss is not the expected issuer' })
  t.notMatch(log.text(), token)
  t.notMatch(log.text(), token.split('.')[1])
})
