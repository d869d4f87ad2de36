import { once } from 'node:events'
import { mock } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import refusalPace from '../../../plugins/support/refusal-pace.ts'
import { exchange, listen, request } from '../../raw-http.ts'

// Forty milliseconds, and up to ten until a group leaves.
const LONGEST_FIRST_WAIT_MS = 50

async function refuse (reply: FastifyReply): Promise<FastifyReply> {
  return await reply.code(503).header('retry-after', '1').send({})
}

/** A service whose event loop has worked for a while and done nothing else, and for which no time passes. */
async function buildBusy (t: Test, addRoutes: (fastify: FastifyInstance) => void = () => {}): Promise<FastifyInstance> {
  await nextTurn() // nothing is measured before the first turn
  const fastify = Fastify() as unknown as FastifyInstance
  t.teardown(async () => {
    mock.timers.reset()
    await fastify.close()
  })
  await fastify.register(refusalPace)
  fastify.get('/refused', async (_request, reply) => await refuse(reply))
  fastify.get('/served', async () => ({}))
  addRoutes(fastify)
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
  mock.timers.tick(LONGEST_FIRST_WAIT_MS)
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

t.test('who hangs up waits no longer, or does not begin to', async (t) => {
  const sent: string[] = []
  const fastify = await buildBusy(t, (fastify) => {
    fastify.addHook('onSend', async ({ url }) => { sent.push(url) })
    fastify.get('/gone-before', async (request, reply) => {
      request.raw.destroy()
      await once(reply.raw, 'close')
      return await refuse(reply)
    })
    fastify.get('/gone-meanwhile', async (request, reply) => {
      const refused = refuse(reply)
      request.raw.destroy()
      return await refused
    })
  })
  const port = await listen(fastify)
  const refused = fastify.inject('/refused')
  await nextTurn()

  await exchange(t, port, request('GET /gone-before'))
  t.strictSame(sent, ['/gone-before'])
  await exchange(t, port, request('GET /gone-meanwhile'))
  mock.timers.tick(LONGEST_FIRST_WAIT_MS)
  await refused

  t.strictSame(sent, ['/gone-before', '/refused'])
})

t.test('a refusal that was overtaken by another answer is not sent', async (t) => {
  const fastify = await buildBusy(t, (fastify) => {
    fastify.get('/overtaken', (_request, reply) => {
      refuse(reply).catch(() => {})
      reply.code(200).removeHeader('retry-after').send({ overtook: true })
      t.doesNotThrow(() => { mock.timers.tick(LONGEST_FIRST_WAIT_MS) })
    })
  })

  const { statusCode, payload } = await fastify.inject('/overtaken')

  t.strictSame([statusCode, payload], [200, '{"overtook":true}'])
})
