import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { buildApp } from '../app.ts'
import { loadConfig } from '../lib/config.ts'
import { StartupError } from '../lib/errors.ts'
import { build, captureLog, fileOf, testEnv } from './helper.ts'

t.test('a start that fails gives back what it has opened', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  await app.close()
  const closed: string[] = []
  const listener = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onClose', async (instance) => { closed.push(fileOf(instance.config)) })
  }
  subscribe('fastify.initialization', listener)
  t.teardown(() => { unsubscribe('fastify.initialization', listener) })
  const config = loadConfig({ ...env, LATCHKEY_SECRET: 'another-secret-0123456789-abcdefghijklmnopqrstuvwxyz' })

  await t.rejects(buildApp(config, captureLog().logger), StartupError)

  t.strictSame(closed, [fileOf(config)])
})
