import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../app.ts'
import { loadConfig } from '../lib/config.ts'
import { ADMIN_SCOPE, seedPostgres, seedSqlite, USER_SCOPE, type SeededRow } from './seed.ts'

export type Env = Record<string, string>

/** A directory with a database of its own and what its users need to be somebody. */
export interface Workspace {
  directory: string
  env: Env
  engine: 'SQLite' | 'PostgreSQL'
  /** Where the service's log goes. */
  logPath: string
  /** How many users are in the database. */
  userCount: number
  /** Some of them, spread over all. */
  users: readonly SeededUser[]
  /** May read all users. */
  adminToken: string
  password: string
  /** The stored form of everybody's password. */
  hash: string
  /** Opens new sessions; the service need not run, or may run meanwhile. */
  openSessions (count: number): Promise<string[]>
  remove (): void
}

export interface SeededUser extends SeededRow {
  accessToken: string
}

export interface WorkspaceOptions {
  /** How many are in the database. */
  users?: number
  /** How many of them the measurements use. */
  sample?: number
  /** Of an empty schema in PostgreSQL; otherwise it is an SQLite database in the directory. */
  databaseUrl?: string | undefined
  env?: Env
}

const USERS = 500
const PASSWORD = 'a password for load tests'
const SILENT = pino({ level: 'silent' })
const DATA = join(import.meta.dirname, '../data')

function databasePath (directory: string): string {
  return join(directory, 'latchkey.db')
}

/**
 * The settings of production, with two differences: access tokens last for the whole run, and there is no grace for a
 * refresh token that was used, so that a load which does not rotate is refused and not served without a write.
 */
function envOf (directory: string): Env {
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://login.example.com',
    TRUST_PROXY: 'none',
    DATABASE_URL: `file:${databasePath(directory)}`,
    ACCESS_TOKEN_TTL: '3600',
    REFRESH_GRACE: '0',
    LOG_LEVEL: 'warn'
  }
}

export async function createWorkspace ({ users: count = USERS, sample = count, databaseUrl, env: changes = {} }: WorkspaceOptions = {}): Promise<Workspace> {
  // Beside the real database: a temporary directory may be on a disk that never waits.
  mkdirSync(DATA, { recursive: true, mode: 0o700 })
  const directory = mkdtempSync(join(DATA, 'bench-'))
  const remove = (): void => { rmSync(directory, { recursive: true, force: true }) }
  process.once('exit', remove)
  const postgres = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl, LATCHKEY_SECRET: randomUUID() }
  const env = { ...envOf(directory), ...postgres, ...changes }
  const config = loadConfig(env)
  const withApp = async <Result>(work: (fastify: Awaited<ReturnType<typeof buildApp>>) => Promise<Result>): Promise<Result> => {
    const fastify = await buildApp(config, SILENT)
    const result = await work(fastify)
    await fastify.close()
    return result
  }

  const hash = await withApp(async (fastify) => await fastify.passwordHasher.hash(PASSWORD))
  const seed = { count, sample, passwordHash: hash }
  const rows = databaseUrl === undefined ? seedSqlite(databasePath(directory), seed) : await seedPostgres(databaseUrl, seed)
  const tokens = await withApp(async ({ accessTokens }) => rows.map(({ id, sessionId }, index) => accessTokens.issue({
    userId: id,
    sessionId,
    clientId: 'first-party',
    scope: index === 0 ? ADMIN_SCOPE : USER_SCOPE,
    authenticatedAt: Date.now()
  })))

  return {
    directory,
    env,
    engine: databaseUrl === undefined ? 'SQLite' : 'PostgreSQL',
    userCount: count,
    logPath: join(directory, 'service.log'),
    users: rows.map((row, index) => ({ ...row, accessToken: tokens[index] as string })),
    adminToken: tokens[0] as string,
    password: PASSWORD,
    hash,

    async openSessions (wanted) {
      const userId = rows[0]?.id as string
      return await withApp(async ({ sessions, refreshTokens }) => {
        const opened: string[] = []
        while (opened.length < wanted) {
          const session = await sessions.open({ userId, passwordVersion: 0, clientId: 'first-party', scope: USER_SCOPE }, {})
          if (session === undefined) throw new Error('No session was opened')
          opened.push(refreshTokens.issue({ sessionId: session.id, generation: 0 }))
        }
        return opened
      })
    },

    remove () {
      process.off('exit', remove)
      remove()
    }
  }
}
