import { pino } from 'pino'
import type { Test } from 'tap'
import { buildApp } from '../../app.ts'
import { findFreePort } from '../../bench/free-port.ts'
import { loadConfig } from '../../lib/config.ts'
import { canRunProgram, replaceAll, runGateway, startApi, type Program } from '../deploy/gateway.ts'
import { NGINX } from '../deploy/nginx.ts'
import { createUser, temporaryDirectory, testEnv, type Env } from '../helper.ts'
import { emptySchema, needsPostgres } from '../postgres.ts'
import { startServer, type ServerProcess } from '../server-process.ts'

/** A process that can be ended and started again at the same address. */
export interface Replica {
  url: string
  /** Resolves to the exit code: null if the signal itself ended the process. */
  stop: (signal: NodeJS.Signals) => Promise<number | null>
  kill: (signal: NodeJS.Signals) => void
  start: () => Promise<void>
}

/** Two replicas on one PostgreSQL behind the nginx that is shipped. */
export interface Pair {
  one: Replica
  two: Replica
  env: Env
  /** Where nginx has the log-in, and the API for which it asks `/verify`. */
  loginUrl: string
  apiUrl: string
}

interface Options {
  env?: Env
  /** Where the second replica finds the database, if not where the first does. */
  secondDatabaseUrl?: (url: string) => Promise<string>
  databaseUrl?: string
}

// Nobody connects from there, so that nobody is given their ports while they are away.
const HOSTS = ['127.0.0.2', '127.0.0.3'] as const
export const PASSWORD = 'correct horse battery'

export async function canRunPair (t: Test): Promise<boolean> {
  return canRunProgram(t, NGINX.path) && await needsPostgres(t)
}

export async function startPair (t: Test, { env: changes = {}, databaseUrl, secondDatabaseUrl }: Options = {}): Promise<Pair> {
  const loginPort = await findFreePort()
  const apiPort = await findFreePort()
  const env = testEnv(t, {
    PUBLIC_URL: `http://127.0.0.1:${loginPort}`,
    TRUST_PROXY: '127.0.0.1',
    DATABASE_URL: databaseUrl ?? await emptySchema(t),
    REFRESH_GRACE: '300', // however slow the machine is
    ...changes
  })
  const one = await startReplica(t, env, HOSTS[0])
  const two = await startReplica(t, secondDatabaseUrl === undefined ? env : { ...env, DATABASE_URL: await secondDatabaseUrl(env.DATABASE_URL as string) }, HOSTS[1])
  const [latchkey, other] = [one, two].map(({ url }) => new URL(url).host) as [string, string]
  await runGateway(t, inFrontOf(other), { directory: temporaryDirectory(t), issuer: env.PUBLIC_URL as string, latchkey, api: await startApi(t), loginPort, apiPort })
  return { one, two, env, loginUrl: env.PUBLIC_URL as string, apiUrl: `http://127.0.0.1:${apiPort}` }
}

function inFrontOf (other: string): Program {
  return {
    ...NGINX,
    adapt: (config, addresses) => replaceAll(NGINX.adapt(config, addresses), {
      [`server ${addresses.latchkey} max_fails=0;`]: `server ${addresses.latchkey} max_fails=0; server ${other} max_fails=0;`
    })
  }
}

export async function startReplica (t: Test, env: Env, host: string): Promise<Replica> {
  const port = await findFreePort()
  const start = async (): Promise<ServerProcess> => await startServer(t, { ...env, HOST: host, PORT: String(port) })
  let server = await start()
  return {
    url: server.url,
    stop: async (signal) => await server.stop(signal),
    kill: (signal) => { server.kill(signal) },
    start: async () => { server = await start() }
  }
}

/** Makes users who can log in with `PASSWORD`. */
export async function createUsers ({ env }: Pick<Pair, 'env'>, users: Array<{ username: string, roles?: string[] }>): Promise<void> {
  const app = await buildApp(loadConfig(env), pino({ level: 'silent' }))
  for (const user of users) await createUser(app, { ...user, password: PASSWORD })
  await app.close()
}
