import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Logger } from 'pino'
import type { Test } from 'tap'
import { build, type Env } from './helper.ts'

const INITIALIZATION = 'fastify.initialization'

/** A route as it is after all plugins have had their say, for one method. */
export interface Route extends Omit<RouteOptions, 'method'> {
  method: string
}

/** Builds the whole service and gives the routes beside it; those of the documentation page are not ours. */
export async function buildWithRoutes (t: Test, env: Env = {}, logger?: Logger): Promise<{ app: FastifyInstance, routes: Route[] }> {
  const collected: RouteOptions[] = []
  const listener = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', (route) => { collected.push(route) })
  }
  subscribe(INITIALIZATION, listener)
  try {
    const app = await build(t, env, logger)
    const own = collected.filter(({ url }) => url !== '/docs' && !url.startsWith('/docs/'))
    return { app, routes: own.flatMap((route) => [route.method].flat().map((method) => ({ ...route, method }))) }
  } finally {
    unsubscribe(INITIALIZATION, listener)
  }
}
