import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'
import { networkOf } from '../../lib/network.ts'
import type { Counter } from '../../lib/throttle/keys.ts'
import { waitMs } from '../../lib/throttle/rules.ts'
import { slowDown } from '../../lib/throttle/slow-down.ts'
import type { AuditContext } from '../data/audit.ts'

export interface MailedLinks {
  /**
   * Does what a mailed link is for. A link that is not valid counts as a failure of the network that it comes from, and is audited.
   *
   * @throws PublicError `slow_down` (429) while the network has had too many failures
   */
  use<Result> (context: AuditContext, work: () => Promise<Result>): Promise<Result>
}

declare module 'fastify' {
  interface FastifyInstance {
    mailedLinks: MailedLinks
  }
}

export default fp(async (fastify) => {
  const { audit, clock, throttleKeys, throttles } = fastify

  async function recordFailure (counter: Counter, context: AuditContext): Promise<void> {
    await throttles.countFailure([counter], context, async (tx) => {
      await audit.record(tx, { type: 'mailed_link_refused', outcome: 'failure' }, context)
    })
  }

  fastify.decorate('mailedLinks', {
    async use (context, work) {
      const counter = throttleKeys.ofNetwork(networkOf(context.ip))
      const states = await throttles.read([counter.key])
      const wait = waitMs(counter.rule, states.get(counter.key), clock.now())
      if (wait > 0) throw slowDown(wait)
      try {
        return await work()
      } catch (error) {
        if (isInvalidLink(error)) await recordFailure(counter, context)
        throw error
      }
    }
  })
}, { name: 'mailed-links', fastify: '5.x', dependencies: ['audit', 'clock', 'throttle-keys', 'throttles'] })

function isInvalidLink (error: unknown): boolean {
  return error instanceof PublicError && error.code === 'invalid_token'
}
