import fp from 'fastify-plugin'

/** Where the time comes from; tests replace `now`. */
export interface Clock {
  /** Epoch milliseconds. */
  now (): number
}

declare module 'fastify' {
  interface FastifyInstance {
    clock: Clock
  }
}

export default fp(async (fastify) => {
  fastify.decorate('clock', { now: () => Date.now() })
}, { name: 'clock', fastify: '5.x' })
