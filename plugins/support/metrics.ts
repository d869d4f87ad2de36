import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { MetricsListener } from '../../lib/metrics/listener.ts'
import { methodLabel, routeLabel, tokenOutcome } from '../../lib/metrics/labels.ts'

/** Measures, and tells Prometheus on a port of its own. Without `METRICS_PORT` nothing of it is loaded. */
export default fp(async (fastify) => {
  const { audit, clock, config, databaseState, grants, keyRing, liveSessions, log, passwordHasher, redis } = fastify
  const { metricsPort: port } = config
  if (port === undefined) return

  const { createMetrics } = await import('../../lib/metrics/metrics.ts')
  const { listenForScrapes } = await import('../../lib/metrics/listener.ts')

  const metrics = createMetrics({
    waitingHashes: () => passwordHasher.queue.waiting,
    liveSessions: async () => await liveSessions.count().catch((error: unknown) => {
      log.warn(error, 'The sessions could not be counted')
      return NaN
    }),
    signingKeyAgeMs: () => clock.now() - keyRing.current().activatesAt,
    keyRotationMs: config.keyRotationMs,
    grantTypes: () => grants.keys(),
    database: databaseState,
    isRedisAway: () => redis?.isAway === true
  })

  passwordHasher.queue.watch(metrics.hashing)
  audit.onRecorded(({ type, outcome }) => { metrics.audited(type, outcome) })

  fastify.addHook('onResponse', (request, reply, done) => {
    measure(request, reply)
    done()
  })

  function measure ({ method, routeOptions, body }: FastifyRequest, { statusCode: status, elapsedTime }: FastifyReply): void {
    const route = routeLabel(routeOptions.url)
    metrics.answered({ method: methodLabel(method), route, status }, elapsedTime / 1000)
    if (route === '/token') metrics.tokenRequested(String((body as { grant_type?: unknown } | undefined)?.grant_type), tokenOutcome(status))
  }

  let listener: MetricsListener | undefined
  fastify.addHook('onReady', async () => {
    listener = await listenForScrapes({
      host: config.host,
      port,
      contentType: metrics.contentType,
      render: metrics.render,
      onFault: (error) => { log.error(error, 'The metrics could not be read') }
    })
    log.info(`Metrics at ${listener.url}`)
  })
  fastify.addHook('onClose', async () => { listener?.close() })
}, { name: 'metrics', fastify: '5.x', dependencies: ['audit', 'clock', 'config', 'database', 'grants', 'key-ring', 'live-sessions', 'password-hasher', 'redis'] })
