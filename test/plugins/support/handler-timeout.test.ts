import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import config from '../../../plugins/support/config.ts'
import errors from '../../../plugins/support/errors.ts'
import handlerTimeout from '../../../plugins/support/handler-timeout.ts'
import { buildWithRoutes } from '../../collect-routes.ts'
import { captureLog, testConfig } from '../../helper.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** A service whose handlers have one millisecond. */
async function buildHasty (t: Test, log = captureLog('warn')): Promise<FastifyInstance> {
  const fastify = Fastify({ loggerInstance: log.logger }) as unknown as FastifyInstance
  t.teardown(async () => { await fastify.close() })
  await fastify.register(config, { app: { config: { ...testConfig(t), hashQueueMs: -9999 } } })
  await fastify.register(errors)
  await fastify.register(handlerTimeout)
  return fastify
}

t.test('a handler that never ends is answered for, whether or not there was a body', async (t) => {
  const log = captureLog('warn')
  const fastify = await buildHasty(t, log)
  fastify.post('/', async () => { await new Promise(() => {}) })
  fastify.delete('/', { preHandler: async () => { await new Promise(() => {}) } }, async () => 'never')
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 })

  const withBody = await fetch(url, { method: 'POST', headers: { ...JSON_TYPE, connection: 'close' }, body: '{"a":1}' })
  const without = await fetch(url, { method: 'DELETE', headers: { connection: 'close' } })

  for (const response of [withBody, without]) {
    t.equal(response.status, 503)
    t.equal(response.headers.get('retry-after'), '1')
    t.strictSame(await response.json(), { statusCode: 503, code: 'temporarily_unavailable', error: 'Service Unavailable', message: 'The answer took too long; try again later' })
  }
  t.match(log.lines, [{ level: 50, err: { stack: /caused by: Error: The handler did not end within 1 ms/ } }, { level: 50 }])
})

t.test('an answer that was given is not given again', async (t) => {
  const log = captureLog('warn')
  const fastify = await buildHasty(t, log)
  const { promise: late, resolve } = Promise.withResolvers<void>()
  fastify.post('/early', async () => 'early')
  fastify.post('/by-hand', async (_request, reply) => {
    reply.hijack()
    setTimeout(() => { reply.raw.end('by hand') }, 5)
  })
  fastify.post('/late', async () => { await late })
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 })
  const post = async (path: string): Promise<Response> => await fetch(`${url}${path}`, { method: 'POST', headers: { connection: 'close' } })

  const early = await post('/early')
  const byHand = await post('/by-hand')
  const answered = await post('/late')
  resolve()

  t.strictSame([early.status, await early.text()], [200, 'early'])
  t.strictSame([byHand.status, await byHand.text()], [200, 'by hand'])
  t.equal(answered.status, 503)
  t.match(log.lines, [{ level: 50, err: { name: 'UnavailableError' } }])
})

t.test('the routes that change something have it, before all that may hang; those that read have not', async (t) => {
  const { routes } = await buildWithRoutes(t, { REGISTRATION: 'open' })
  const preHandlersOf = ({ preHandler }: typeof routes[number]): string[] => [preHandler ?? []].flat().map(({ name }) => name)
  const watched = routes.filter((route) => preHandlersOf(route).find((name) => name !== 'refuseNul') === 'watch')
  const names = (list: typeof routes): string[] => [...new Set(list.filter(({ url }) => !url.startsWith('/verify')).map(({ method, url }) => `${method} ${url}`))].toSorted()

  t.strictSame(names(watched), names(routes.filter(({ method }) => method !== 'GET' && method !== 'HEAD')))
  t.ok(watched.length > 10)
})

t.test('no timer outlives its request', async (t) => {
  const fastify = Fastify()
  t.teardown(async () => { await fastify.close() })
  await fastify.register(config, { app: { config: testConfig(t) } })
  await fastify.register(handlerTimeout)
  fastify.post('/', async () => 'done')
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 })
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()

  const answers = await Promise.all(Array.from({ length: 50 }, async () => await fetch(url, { method: 'POST', headers: { connection: 'close' } })))
  await Promise.all(answers.map(async (answer) => await answer.text()))
  await fastify.close()

  t.ok(timers() < before + 50)
})
