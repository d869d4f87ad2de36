import type { Request } from 'autocannon'
import { inTurn, load, type Bench } from '../load.ts'
import { startBareServer, startService } from '../processes.ts'
import { ratioFigure, type Figure } from '../report.ts'
import { profileRequests, sendOnce } from '../requests.ts'
import { hasWrk, loadWithWrk } from '../wrk.ts'

const CONNECTIONS = 50
const GOALS = { SQLite: 0.60, PostgreSQL: 0.55 }

/** Reading the own profile, against the same JSON from a bare route that gets the same request headers. */
export async function measureProfile ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const tokens = workspace.users.map(({ accessToken }) => accessToken)
  const service = await startService(workspace)
  const requests = profileRequests(workspace)
  const profile = await sendOnce(service.url, requests[0] as Request) as object
  const bare = await startBareServer({ profile, tokens: {}, hash: '', password: '' })

  const withAutocannon = (url: string) => async () => await load({ url, seconds, connections: CONNECTIONS, requests })
  const withWrk = (url: string) => async () => await loadWithWrk({ url, seconds, connections: CONNECTIONS, tokens, directory: workspace.directory })

  const figures: Figure[] = []
  const clients = hasWrk() ? { autocannon: withAutocannon, wrk: withWrk } : { autocannon: withAutocannon }
  await inTurn(1, withAutocannon(bare.url), withAutocannon(service.url)) // warms both up
  for (const [client, send] of Object.entries(clients)) {
    figures.push(ratioFigure(`GET /users/me, 500 tokens, ${workspace.engine} : bare route (${client})`, GOALS[workspace.engine], await inTurn(rounds, send(bare.url), send(service.url))))
  }
  await Promise.all([service.stop(), bare.stop()])
  return figures
}
