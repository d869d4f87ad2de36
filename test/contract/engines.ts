import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { ThrottleStore } from '../../lib/throttle/store.ts'
import database, { type Database } from '../../plugins/data/database.ts'
import config from '../../plugins/support/config.ts'
import { testConfig, type Env } from '../helper.ts'
import { emptySchema, needsPostgres } from '../postgres.ts'

/** A database of its own for one test, with its schema and nobody in it. */
export interface OpenEngine extends Database {
  close: () => Promise<void>
  /** Where counters are elsewhere. */
  openThrottles?: (clock: { now: () => number }) => ThrottleStore
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
  const { db, prepareRead, rememberRead, prepareTogether } = fastify
  return { db, prepareRead, rememberRead, prepareTogether, close: async () => { await fastify.close() } }
}

export const sqlite: Engine = { name: 'sqlite', open: async (t) => await openWith(t) }

/** The same database each time. */
export function postgresAt (url: string): Engine {
  return { name: 'postgres', open: async (t) => await openWith(t, { DATABASE_URL: url }) }
}

export const postgres: Engine = { name: 'postgres', open: async (t) => await postgresAt(await emptySchema(t)).open(t) }

/** All databases that keep the contract, and that are there. */
export const engines: readonly Engine[] = await needsPostgres(t) ? [sqlite, postgres] : [sqlite]
