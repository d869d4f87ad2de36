import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../app.ts'
import { loadConfig } from '../lib/config.ts'

export type Env = Record<string, string>

/** A directory with a database of its own and what its users need to be somebody. */
export interface Workspace {
  directory: string
  env: Env
  /** Where the service's log goes. */
  logPath: string
  users: readonly SeededUser[]
  password: string
  /** The stored form of everybody's password. */
  hash: string
  /** Opens new sessions; the service need not run, or may run meanwhile. */
  openSessions (count: number): Promise<string[]>
  remove (): void
}

export interface SeededUser {
  username: string
  accessToken: string
}

const USERS = 500
const PASSWORD = 'a password for load tests'
const SILENT = pino({ level: 'silent' })
const DATA = join(import.meta.dirname, '../data')

/**
 * The settings of production, with a place for compiled code as docs/operations.md advises, and two differences:
 * access tokens last for the whole run, and there is no grace for a refresh token that was used, so that a load which
 * does not rotate is refused and not served without a write.
 */
function envOf (directory: string): Env {
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
    PUBLIC_URL: 'https://login.example.com',
    TRUST_PROXY: 'none',
    DATABASE_URL: `file:${directory}/latchkey.db`,
    ACCESS_TOKEN_TTL: '3600',
    REFRESH_GRACE: '0',
    LOG_LEVEL: 'warn'
  }
}

export async function createWorkspace (): Promise<Workspace> {
  // Beside the real database: a temporary directory may be on a disk that never waits.
  mkdirSync(DATA, { recursive: true, mode: 0o700 })
  const directory = mkdtempSync(join(DATA, 'bench-'))
  const env = envOf(directory)
  const build = async () => await buildApp(loadConfig(env), SILENT)

  const fastify = await build()
  const hash = await fastify.passwordHasher.hash(PASSWORD)
  const users: SeededUser[] = []
  for (let number = 0; number < USERS; number++) users.push(await seedUser(number))
  await fastify.close()

  async function seedUser (number: number): Promise<SeededUser> {
    const username = `bench-${number}`
    const user = await fastify.users.create({ username, email: `${username}@example.com`, fullName: `Bench User ${number}`, passwordHash: hash }, {})
    const scope = 'profile account'
    const session = await fastify.sessions.open({ userId: user.id, passwordVersion: 0, clientId: 'first-party', scope }, {})
    if (session === undefined) throw new Error('No session was opened')
    const accessToken = fastify.accessTokens.issue({ userId: user.id, sessionId: session.id, clientId: 'first-party', scope, authenticatedAt: session.createdAt })
    return { username, accessToken }
  }

  return {
    directory,
    env,
    logPath: join(directory, 'service.log'),
    users,
    password: PASSWORD,
    hash,

    async openSessions (count) {
      const fastify = await build()
      const [user] = await fastify.users.list()
      const tokens: string[] = []
      for (let opened = 0; opened < count; opened++) {
        const session = user && await fastify.sessions.open({ userId: user.id, passwordVersion: 0, clientId: 'first-party', scope: 'profile account' }, {})
        if (session === undefined) throw new Error('No session was opened')
        tokens.push(fastify.refreshTokens.issue({ sessionId: session.id, generation: 0 }))
      }
      await fastify.close()
      return tokens
    },

    remove () { rmSync(directory, { recursive: true, force: true }) }
  }
}
