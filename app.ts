import { join } from 'node:path'
import autoload from '@fastify/autoload'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Config } from './lib/config.ts'
import { serverOptions } from './lib/server-options.ts'

/**
 * Builds the whole service without listening: first what it is made of, then what has a URL.
 * The database is open and its schema up to date when the promise resolves.
 *
 * @throws StartupError when something outside the program is wrong; its message is for the operator
 */
export async function buildApp (config: Config, logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const fastify = Fastify(serverOptions(config, logger))
  fastify.removeContentTypeParser('text/plain') // a body is JSON, or what its route says
  try {
    await fastify.register(autoload, { dir: join(import.meta.dirname, 'plugins'), encapsulate: false, options: { app: { config } } })
    await fastify.register(autoload, { dir: join(import.meta.dirname, 'routes') })
    await fastify.ready()
    return fastify
  } catch (error) {
    await fastify.close()
    throw error
  }
}
