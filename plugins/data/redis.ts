import fp from 'fastify-plugin'
import type { RedisLink } from '../../lib/redis/link.ts'
import { PROBE } from '../../lib/redis/throttle-scripts.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined without `REDIS_URL`. */
    redis: RedisLink | undefined
  }
}

/** The connection to Redis. It may be away, at the start too: whoever uses it can do without. */
export default fp(async (fastify) => {
  const { clock, config, log, vault } = fastify
  fastify.decorate('redis', config.redis && await open(config.redis))

  async function open (server: NonNullable<typeof config.redis>): Promise<RedisLink> {
    const { createRedisLink } = await import('../../lib/redis/link.ts')
    // Keys are made with the service secret, so that what has another one has nothing to do with them. In a cluster the braces
    // keep all of them in one place.
    const prefix = `latchkey:{${vault.pseudonym('redis').slice(0, 16)}}:`
    const link = createRedisLink(server, {
      prefix,
      probe: async (redis) => await redis.eval(PROBE, 1, prefix, clock.now()),
      onThere: () => { log.info('Failures and mails are counted in Redis') },
      onAway: (reason) => { log.warn({ reason }, 'Redis can not be used: failures and mails are counted in the database') }
    })
    fastify.addHook('onClose', link.stop)
    await link.start()
    return link
  }
}, { name: 'redis', fastify: '5.x', dependencies: ['clock', 'config', 'vault'] })
