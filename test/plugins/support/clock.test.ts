import Fastify from 'fastify'
import t from 'tap'
import clock from '../../../plugins/support/clock.ts'

t.test('the clock is that of the wall', async (t) => {
  const fastify = Fastify()
  t.teardown(async () => { await fastify.close() })
  await fastify.register(clock)

  const before = Date.now()
  const now = fastify.clock.now()
  const after = Date.now()

  t.ok(before <= now && now <= after)
})
