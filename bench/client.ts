import autocannon, { type Connection, type Request } from 'autocannon'
import { doJob } from './child.ts'

export type Load = FixedLoad | RefreshLoad

interface Run {
  /** Of several servers each gets as many of the connections. */
  url: string | readonly string[]
  seconds: number
  connections: number
}

/** The requests are dealt out: each connection sends its own in turn, again and again. If there are too few, connections share one. */
export interface FixedLoad extends Run {
  requests: Request[]
}

/** Each connection has a session of its own and always sends the newest refresh token of it. */
export interface RefreshLoad extends Run {
  refreshTokens: string[]
}

export interface LoadResult {
  /** Good answers. */
  perSecond: number
  /** Answers 503. */
  refused: number
  /** All other answers that are not good, and connections that broke or timed out. */
  wrong: number
  /** How many answers of each status. */
  statuses: Record<string, number>
}

function refreshing (newest: string): Request {
  return {
    method: 'POST',
    path: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
    setupRequest: (request) => ({ ...request, body: `grant_type=refresh_token&refresh_token=${newest}` }),
    onResponse (status, body) {
      if (status === 200) newest = (JSON.parse(body) as { refresh_token: string }).refresh_token
    }
  }
}

function requestsOf (load: Load, connection: number): Request[] {
  if ('requests' in load) {
    const { requests, connections } = load
    const step = Math.min(requests.length, connections)
    return requests.filter((_request, index) => index % step === connection % step)
  }
  const token = load.refreshTokens[connection]
  return token === undefined ? [] : [refreshing(token)]
}

doJob(async (load: Load): Promise<LoadResult> => {
  let connected = 0
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    sampleInt: 100,
    setupClient: (connection: Connection) => { connection.setRequests(requestsOf(load, connected++)) }
  })
  const refused = result.statusCodeStats['503']?.count ?? 0
  const statuses = Object.fromEntries(Object.entries(result.statusCodeStats).map(([status, { count }]) => [status, count]))
  return { perSecond: result['2xx'] / result.duration, refused, wrong: result.non2xx - refused + result.errors + result.timeouts, statuses }
})
