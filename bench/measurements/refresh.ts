import { join } from 'node:path'
import { inTurn, load, type Bench } from '../load.ts'
import { runJob, startService } from '../processes.ts'
import { ratioFigure, type Figure } from '../report.ts'

const CONNECTIONS = 10
const GOAL = 0.5

/** Going on with a session, which rotates its refresh token on the disk, against one writer that waits for the disk each time. */
export async function measureRefresh ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const { directory } = workspace
  // A run cuts off answers and so loses the newest tokens: each has sessions of its own, the one that warms up too.
  const refreshTokens = await workspace.openSessions((rounds + 1) * CONNECTIONS)
  const service = await startService(workspace)

  const refresh = async (): Promise<number> => await load({ url: service.url, seconds, connections: CONNECTIONS, refreshTokens: refreshTokens.splice(0, CONNECTIONS) })
  const update = async (): Promise<number> => await runJob<number>('durable-updates.ts', { path: join(directory, `${refreshTokens.length}.db`), seconds })

  await refresh()
  const rates = await inTurn(rounds, update, refresh)
  await service.stop()
  return [ratioFigure('POST /token (refresh), SQLite : durable updates', GOAL, rates)]
}
