import fp from 'fastify-plugin'

/** How often a service looks for the keys that other processes have added or revoked, in milliseconds. */
export const KEY_RELOAD_MS = 5000

/** Makes the first signing key, and replaces keys when it is time. That is for the service: a command follows no setting of the keys. */
export default fp(async (fastify) => {
  const { config, keyRing, log } = fastify

  // Only a start follows the algorithm: while replicas with another one run, each would take over from the other again and again.
  await keyRing.maintain(config.signingAlg)

  const timer = setInterval(() => {
    keyRing.maintain().catch((error: unknown) => { log.error(error, 'The signing keys could not be looked after') })
  }, KEY_RELOAD_MS).unref()
  fastify.addHook('onClose', async () => { clearInterval(timer) })
}, { name: 'key-maintenance', fastify: '5.x', dependencies: ['config', 'key-ring'] })
