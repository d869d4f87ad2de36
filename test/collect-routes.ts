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

const isOfDocs = ({ url }: Route): boolean => url === '/docs' || url.startsWith('/docs/')

/** Builds the whole service and gives the routes beside it; those of the documentation page, which are not ours, apart. */
export async function buildWithRoutes (t: Test, env: Env = {}, logger?: Logger): Promise<{ app: FastifyInstance, routes: Route[], docsRoutes: Route[] }> {
  const collected: RouteOptions[] = []
  const listener = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', (route) => { collected.push(route) })
  }
  subscribe(INITIALIZATION, listener)
  try {
    const app = await build(t, env, logger)
    const all = collected.flatMap((route) => [route.method].flat().map((method) => ({ ...route, method })))
    return { app, routes: all.filter((route) => !isOfDocs(route)), docsRoutes: all.filter(isOfDocs) }
  } finally {
    unsubscribe(INITIALIZATION, listener)
  }
}
