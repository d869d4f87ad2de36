import { availableParallelism } from 'node:os'
import type { FixedLoad } from '../client.ts'
import { flood, inTurn, load, LOGIN_WARM_UP, type Bench } from '../load.ts'
import { startService, type Server } from '../processes.ts'
import { ratioFigure, type Figure } from '../report.ts'
import { loginRequests } from '../requests.ts'

// Enough for a hash to be waiting at each replica, while some log-ins wait for each other to be finished together.
const CONNECTIONS = 40
const GOAL = 1
// The two sides differ by less than the machine at one time from the same machine some seconds later.
const TIMES_AS_MANY_ROUNDS = 3

/** Logging in at two replicas, each with half of the cores, as if it had a machine of that size, against one that has all. */
export async function measureReplicas ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const halfOfTheCores = String(Math.max(1, Math.floor(availableParallelism() / 2)))
  const half = { ...workspace, env: { ...workspace.env, HASH_CONCURRENCY: halfOfTheCores, UV_THREADPOOL_SIZE: halfOfTheCores } }
  const one = await startService(workspace)
  const two = [await startService(half), await startService(half)]
  const requests = loginRequests(workspace)

  const logInsAt = (servers: readonly Server[]): FixedLoad => ({ url: servers.map(({ url }) => url), seconds, connections: CONNECTIONS, requests })

  // Until its code is compiled, each takes its hashes for slower than they are, and refuses some.
  for (let round = 0; round < LOGIN_WARM_UP; round++) {
    await flood(logInsAt([one]))
    await flood(logInsAt(two))
  }
  const rates = await inTurn(TIMES_AS_MANY_ROUNDS * rounds, async () => await load(logInsAt([one])), async () => await load(logInsAt(two)))
  await Promise.all([one, ...two].map(async (server) => { await server.stop() }))
  return [ratioFigure('POST /token (password), two replicas with half of the cores each : one', GOAL, rates)]
}
