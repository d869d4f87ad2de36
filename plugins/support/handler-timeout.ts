import type { preHandlerHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { UnavailableError } from '../../lib/errors.ts'

// The hashing queue and the database have bounds of their own; this is for whatever else may hang.
const BEYOND_HASH_QUEUE_MS = 10_000
const READING = ['GET', 'HEAD']

/**
 * Answers for handlers that never do. (Fastify's `handlerTimeout` forgets a request as soon as its body is read.)
 * Not for routes that read: those wait for nothing, and are asked so often that a timer for each request would show.
 */
export default fp(async (fastify) => {
  const timeoutMs = BEYOND_HASH_QUEUE_MS + fastify.config.hashQueueMs

  const watch: preHandlerHookHandler = (_request, reply, done) => {
    const timer = setTimeout(() => {
      if (!reply.sent) reply.send(new UnavailableError('The answer took too long; try again later', 1, { cause: new Error(`The handler did not end within ${timeoutMs} ms`) }))
    }, timeoutMs)
    reply.raw.once('close', () => { clearTimeout(timer) })
    done()
  }

  fastify.addHook('onRoute', (route) => {
    if ([route.method].flat().some((method) => READING.includes(method))) return
    route.preHandler = [watch, ...[route.preHandler ?? []].flat()]
  })
}, { name: 'handler-timeout', fastify: '5.x', dependencies: ['config'] })
