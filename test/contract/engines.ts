import Fastify from 'fastify'
import type { Test } from 'tap'
import database, { type Database } from '../../plugins/data/database.ts'
import config from '../../plugins/support/config.ts'
import { testConfig, type Env } from '../helper.ts'

/** A database of its own for one test, with its schema and nobody in it. */
export interface OpenEngine extends Database {
  close: () => Promise<void>
}

export interface Engine {
  name: string
  open: (t: Test) => Promise<OpenEngine>
}

async function openWith (t: Test, env: Env = {}): Promise<OpenEngine> {
  const fastify = Fastify()
  const app = { config: testConfig(t, env) }
  await fastify.register(config, { app })
  await fastify.register(database)
  return { db: fastify.db, prepareRead: fastify.prepareRead, rememberRead: fastify.rememberRead, close: async () => { await fastify.close() } }
}

/** All databases that keep the contract. */
export const engines: readonly Engine[] = [
  { name: 'sqlite', open: async (t) => await openWith(t) }
]
