import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import type { Config } from './lib/config.ts'
import { createLogger } from './lib/logger.ts'
import { readConfig } from './lib/process-config.ts'
import { cannotListen, StartupError } from './lib/errors.ts'
import { lowerWorkerPriority } from './lib/worker-priority.ts'

const DRAIN_MS = 10_000

/** Runs the service until a signal stops it. A fault at the start is told in one sentence and ends the process with 1. */
export async function serve (): Promise<void> {
  try {
    await start(readConfig())
  } catch (error) {
    process.stderr.write(`${error instanceof StartupError ? error.message : (error as Error).stack}\n`)
    process.exit(1)
  }
}

async function start (config: Config): Promise<void> {
  // With spare threads the kernel often wakes one on a core that hashes already, while another core idles.
  process.env.UV_THREADPOOL_SIZE = String(config.threads)
  const logger = await createLogger(config)
  const fastify = await buildApp(config, logger)
  lowerWorkerPriority()

  closeWithGrace({ delay: DRAIN_MS, logger }, async ({ err }) => {
    if (err === undefined) await fastify.drain()
    else logger.fatal(err, 'The process stops after an error that nobody caught')
    await fastify.close()
  })

  await fastify.listen({ host: config.host, port: config.port }).catch((cause: unknown) => { throw cannotListen('HOST and PORT', cause) })
  if (config.docs && !config.production) logger.info(`Try it at ${config.publicUrl}/docs`)
}
