import fp from 'fastify-plugin'
import { createBusyGauge } from '../../lib/busy-gauge.ts'
import { createPace } from '../../lib/pace.ts'

/**
 * Sends refusals that say when to come again (429, 503) several at a time, which takes less work for each, and later while the
 * event loop is busy. Somebody who asks again at once, on hundreds of connections, would otherwise be refused as fast as one
 * core can: no new connection would be accepted meanwhile, and nothing be left of that core for password hashes. Who hangs up
 * waits no longer.
 */
export default fp(async (fastify) => {
  const pace = createPace({ busyShare: createBusyGauge(), now: () => performance.now(), random: Math.random })

  fastify.addHook('onSend', (_request, reply, payload, done) => {
    const { raw: response } = reply
    const isGone = response.destroyed
    if (isGone || !reply.hasHeader('retry-after')) {
      done(null, payload)
      return
    }
    const leave = pace.pass(() => {
      // Meanwhile another answer may have been given, such as the one to a handler that took too long.
      if (!response.headersSent) done(null, payload)
    })
    response.once('close', leave)
  })
  fastify.addHook('preClose', async () => { pace.stop() })
}, { name: 'refusal-pace', fastify: '5.x' })
