import { join } from 'node:path'
import autoload from '@fastify/autoload'
import Fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { serverOptions } from '../../lib/server-options.ts'
import { buildWithRoutes, type Route } from '../collect-routes.ts'
import { testConfig } from '../helper.ts'

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  security?: unknown
}

type Schema = Operation & { hide?: boolean, response?: Record<string, unknown> }

const nameOf = ({ method, url }: Route): string => `${method} ${url}`
const schemaOf = (route: Route): Schema => (route.schema ?? {}) as Schema
const urlOf = ({ url }: Route): string => url.replace('*', 'some/path')
// The document writes a parameter in braces.
const pathOf = ({ url }: Route): string => url.replace(/:(\w+)/g, '{$1}')

t.test('each route', async (t) => {
  const { app, routes } = await buildWithRoutes(t, { REGISTRATION: 'open' })
  const document = (await app.inject('/openapi.json')).json() as { paths: Record<string, Record<string, Operation>> }

  t.ok(routes.length > 20, 'routes were found')

  for (const route of routes) {
    t.test(nameOf(route), async (t) => {
      const { scopes, public: isPublic } = route.config ?? {}
      const { hide, operationId, summary, description, security, response = {} } = schemaOf(route)
      const statuses = Object.keys(response)

      t.not(scopes === undefined, isPublic === undefined, 'states its scopes or that it is public, and not both')

      t.ok(statuses.some((status) => /^[23]\d\d$/.test(status)), 'describes its success')
      t.strictSame(statuses.filter((status) => /^.xx$/.test(status)).toSorted(), ['4xx', '5xx'], 'describes every failure')
      t.notOk(statuses.includes('default') || statuses.includes('2xx'), 'leaves no success to a pattern')

      const expected = scopes === undefined ? [] : [{ password: [...scopes] }]
      if (hide !== true) t.strictSame(security, expected, 'says in its schema who may ask')
      const operation = document.paths[pathOf(route)]?.[route.method.toLowerCase()]
      if (hide === true || route.method === 'HEAD') {
        t.equal(operation, undefined, 'is not in the document')
      } else {
        t.strictSame(operation?.security, expected, 'says the same in the document')
        t.ok(operationId && summary && description, 'is named and explained')
        t.match(operation, { operationId, summary, description })
      }

      // What Node does not hand to the router on a connection is not asked here either.
      if (route.method === 'CONNECT') return
      const anonymous = await app.inject({ method: route.method as 'GET', url: urlOf(route) })
      t.equal(anonymous.statusCode === 401, scopes !== undefined, 'lets in without a token only if it is public')
    })
  }

  t.test('that is in the document has a name of its own', async (t) => {
    const names = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId))

    t.equal(new Set(names).size, names.length)
    t.notOk(names.includes(undefined))
  })

  t.test('that the document has is there', async (t) => {
    const documented = Object.entries(document.paths).flatMap(([url, path]) => Object.keys(path).map((method) => `${method.toUpperCase()} ${url}`))

    const known = routes.map((route) => `${route.method} ${pathOf(route)}`)
    t.strictSame(documented.filter((name) => !known.includes(name)), [])
  })
})

t.test('without the documentation its routes are not there', async (t) => {
  const { app, routes } = await buildWithRoutes(t, { DOCS: 'false' })

  t.strictSame(routes.map(({ url }) => url).filter((url) => url === '/' || url.includes('openapi')), [])
  for (const url of ['/', '/docs', '/docs/', '/docs/json', '/docs/static/index.html', '/openapi.json']) {
    t.equal((await app.inject(url)).statusCode, 404, url)
  }
})

const undecided = [
  { name: 'neither its scopes nor that it is public', config: {} },
  { name: 'nothing at all', config: undefined }
]

for (const { name, config } of undecided) {
  t.test(`a route that states ${name} stops the start`, async (t) => {
    const settings = testConfig(t)
    const fastify = Fastify(serverOptions(settings, pino({ level: 'silent' })))
    t.teardown(async () => { await fastify.close() })
    await fastify.register(autoload, { dir: join(import.meta.dirname, '../../plugins'), encapsulate: false, options: { app: { config: settings } } })

    t.throws(() => fastify.get('/forgotten', { ...(config && { config }) }, async () => 'secret'), { message: 'GET /forgotten states neither its scopes nor that it is public' })
  })
}
