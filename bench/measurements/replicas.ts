import { availableParallelism } from 'node:os'
import { inTurn, load, type Bench } from '../load.ts'
import { startService } from '../processes.ts'
import { ratioFigure, type Figure } from '../report.ts'
import { loginRequests } from '../requests.ts'

// Enough for a hash to be waiting at each replica, while some log-ins wait for each other to be finished together.
const CONNECTIONS = 20
const GOAL = 1

/** Logging in at two replicas, each with half of the cores, as if it had a machine of that size, against one that has all. */
export async function measureReplicas ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const halfOfTheCores = String(Math.max(1, Math.floor(availableParallelism() / 2)))
  const half = { ...workspace, env: { ...workspace.env, HASH_CONCURRENCY: halfOfTheCores, UV_THREADPOOL_SIZE: halfOfTheCores } }
  const one = await startService(workspace)
  const two = [await startService(half), await startService(half)]
  const requests = loginRequests(workspace)

  const logInAtOne = async (): Promise<number> => await load({ url: one.url, seconds, connections: CONNECTIONS, requests })
  const logInAtTwo = async (): Promise<number> => {
    const rates = await Promise.all(two.map(async ({ url }) => await load({ url, seconds, connections: CONNECTIONS / two.length, requests })))
    return rates.reduce((sum, rate) => sum + rate)
  }

  await inTurn(1, logInAtOne, logInAtTwo) // warms all up
  const rates = await inTurn(rounds, logInAtOne, logInAtTwo)
  await Promise.all([one, ...two].map(async (server) => { await server.stop() }))
  return [ratioFigure('POST /token (password), two replicas with half of the cores each : one', GOAL, rates)]
}
