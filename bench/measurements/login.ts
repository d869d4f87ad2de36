import type { Request } from 'autocannon'
import { load, LOGIN_WARM_UP, type Bench } from '../load.ts'
import { runJob, startBareServer, startService } from '../processes.ts'
import { ratioFigure, type Figure, type Pair } from '../report.ts'
import { loginRequests, sendOnce } from '../requests.ts'

// Enough for a hash to be waiting whenever a core is free, few enough for nobody to be refused.
const CONNECTIONS = 10
const LOOP_GOAL = 0.90
const ROUTE_GOAL = 0.97

/** Logging in, against what the hardware can hash and against what Fastify can make of that. */
export async function measureLogin ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const { hash, password, engine } = workspace
  const requests = loginRequests(workspace)
  const service = await startService(workspace)
  const tokens = await sendOnce(service.url, requests[0] as Request) as object
  const bare = await startBareServer({ profile: {}, tokens, hash, password })
  const send = async (url: string): Promise<number> => await load({ url, seconds, connections: CONNECTIONS, requests })

  for (let round = 0; round < LOGIN_WARM_UP; round++) {
    await send(bare.url)
    await send(service.url)
  }
  const toLoop: Pair[] = []
  const toRoute: Pair[] = []
  for (let round = 0; round < rounds; round++) {
    const loop = await runJob<number>('argon2-loop.ts', { hash, password, seconds })
    const route = await send(bare.url)
    const figure = await send(service.url)
    toLoop.push({ figure, limit: loop })
    toRoute.push({ figure, limit: route })
  }
  await Promise.all([service.stop(), bare.stop()])
  const name = engine === 'SQLite' ? 'POST /token (password)' : `POST /token (password), ${engine}`
  return [
    ratioFigure(`${name} : argon2 loop`, LOOP_GOAL, toLoop),
    ratioFigure(`${name} : bare route with argon2`, ROUTE_GOAL, toRoute)
  ]
}
