import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Test } from 'tap'
import { fuzz } from '../test/attack/fuzz/run.ts'
import { startWatched } from '../test/attack/fuzz/watched-server.ts'
import { ADA } from '../test/attack/target.ts'
import { buildWithRoutes } from '../test/collect-routes.ts'
import { createUser, PUBLIC_URL, SECRET } from '../test/helper.ts'

// Sends made-up requests to a service in a process of its own, and watches it: npm run fuzz -- --requests 200000 --seed 1
const { values } = parseArgs({ options: { requests: { type: 'string', default: '200000' }, seed: { type: 'string' } } })
const requests = Number(values.requests)
const say = (text: string): void => { process.stdout.write(`${text}\n`) }

const PROGRESS_EVERY = 0.05
const WARM = 0.2
// What is remembered, ten thousand tokens above all, takes some 15 MB when it is full.
const MOST_GROWTH_MB = 24

const cleanups: Array<() => unknown> = []
// All that the helpers use of a test.
const scope = { teardown: (cleanup: () => unknown) => { cleanups.unshift(cleanup) } } as unknown as Test

const directory = mkdtempSync(join(tmpdir(), 'latchkey-fuzz-'))
const env = {
  NODE_ENV: 'test',
  PORT: '0',
  PUBLIC_URL,
  DATABASE_URL: `file:${directory}/latchkey.db`,
  LATCHKEY_SECRET: SECRET,
  ARGON2_MEMORY_KIB: '8',
  ARGON2_TIME_COST: '1',
  LOG_LEVEL: 'info',
  REGISTRATION: 'open',
  TRUST_PROXY: '127.0.0.1',
  CORS_ORIGINS: 'https://app.example.com',
  ACCESS_TOKEN_TTL: '3600'
}

try {
  // On the same database: here it says what its routes are like, and makes users.
  const { app, routes } = await buildWithRoutes(scope, env)
  const makeUser = async (username: string, isAdmin: boolean): Promise<void> => { await createUser(app, { username, password: ADA.password, email: `${username}@example.com`, roles: isAdmin ? ['user', 'admin'] : ['user'] }) }
  const server = await startWatched(env, ['CANARY', SECRET, '$argon2', 'PRIVATE KEY'])
  cleanups.unshift(server.stop)
  const heaps: number[] = []

  async function watch (count: number): Promise<void> {
    if (count % Math.ceil(requests * PROGRESS_EVERY) !== 0) return
    const { heapMb, residentMb, polluted } = await server.probe()
    heaps.push(heapMb)
    say(`${count} requests, heap ${heapMb.toFixed(1)} MB, resident ${residentMb.toFixed(0)} MB`)
    if (polluted) throw new Error('What all objects share was changed')
    server.check()
  }

  const seen = await fuzz({ port: server.port, routes, makeUser, requests, ...values.seed !== undefined && { seed: Number(values.seed) }, onRequest: watch })

  for (const [route, statuses] of Object.entries(seen).toSorted()) say(`${route}: ${Object.entries(statuses).map(([status, count]) => `${status} x ${count}`).join(', ')}`)
  const warm = heaps[Math.round(WARM / PROGRESS_EVERY) - 1] ?? NaN
  const growth = (heaps.at(-1) ?? NaN) - warm
  say(`The heap grew by ${growth.toFixed(1)} MB after the first ${WARM * 100} %`)
  if (!(growth < MOST_GROWTH_MB)) throw new Error(`It must not grow by ${MOST_GROWTH_MB} MB`)
} catch (error) {
  const { message, cause } = error as Error
  process.stderr.write(`${message}\n${cause instanceof Error ? cause.message : ''}\n`)
  process.exitCode = 1
} finally {
  for (const cleanup of cleanups) await cleanup()
  rmSync(directory, { recursive: true, force: true })
}
