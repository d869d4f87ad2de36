import fp from 'fastify-plugin'
import type { Config } from '../../lib/config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Readonly<Config>
  }
}

/** What every plugin is registered with. */
export interface PluginOptions {
  app: { config: Config }
}

export default fp<PluginOptions>(async (fastify, { app }) => {
  fastify.decorate('config', Object.freeze(app.config))
}, { name: 'config', fastify: '5.x' })
