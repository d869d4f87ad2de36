import { mock } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import refusalPace from '../../../plugins/support/refusal-pace.ts'

/** A service whose event loop has worked for a while and done nothing else, and for which no time passes. */
async function buildBusy (t: Test): Promise<FastifyInstance> {
  await nextTurn() // nothing is measured before the first turn
  const fastify = Fastify() as unknown as FastifyInstance
  t.teardown(async () => {
    mock.timers.reset()
    await fastify.close()
  })
  await fastify.register(refusalPace)
  fastify.get('/refused', async (_request, reply) => reply.code(503).header('retry-after', '1').send({}))
  fastify.get('/served', async () => ({}))
  await fastify.ready()
  mock.timers.enable({ apis: ['setTimeout'] })
  const end = performance.now() + 1000
  while (performance.now() < end);
  return fastify
}

t.test('while the event loop is busy a refusal is sent later, and all else at once', async (t) => {
  const fastify = await buildBusy(t)
  const answered: string[] = []
  const ask = async (url: string): Promise<void> => {
    await fastify.inject(url)
    answered.push(url)
  }

  const refused = ask('/refused')
  await ask('/served')
  t.strictSame(answered, ['/served'])
  mock.timers.tick(10)
  await refused

  t.strictSame(answered, ['/served', '/refused'])
})

t.test('a service that stops lets nobody wait', async (t) => {
  const fastify = await buildBusy(t)
  const answers = Array.from({ length: 3 }, async () => (await fastify.inject('/refused')).statusCode)
  await nextTurn()

  await fastify.close()

  t.strictSame(await Promise.all(answers), [503, 503, 503])
})
