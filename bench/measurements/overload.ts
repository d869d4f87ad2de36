import { openLoad, type Bench } from '../load.ts'
import type { OpenResult } from '../open-loop.ts'
import { runJob, startService } from '../processes.ts'
import { quantile } from '../quantile.ts'
import { ratioFigure, type Figure, type Pair } from '../report.ts'
import { loginRequests, profileRequests } from '../requests.ts'
import type { Workspace } from '../workspace.ts'

const OVERLOAD = 10
/** Longer than anybody waits for a hash by the settings. */
export const PATIENCE_MS = 2500
const LEAD_IN_SECONDS = PATIENCE_MS / 1000
const SHORTEST_SECONDS = 4
const GENTLE_PER_SECOND = 50
const GOAL = 0.80
const REFUSED_WITHIN_MS = 50
const PROFILE_WITHIN_MS = 50
const TEMPORARILY_UNAVAILABLE = 503

export interface Overloaded {
  logins: OpenResult
  profileP99Ms: number
}

/**
 * Ten times as many people log in as the machine can hash for, and do not wait for each other, while somebody in another
 * process reads a profile now and then.
 */
export async function overload (url: string, { logins, profiles }: Record<'logins' | 'profiles', ReturnType<typeof loginRequests>>, capacity: number, seconds: number): Promise<Overloaded> {
  const pace = { url, leadInSeconds: LEAD_IN_SECONDS, seconds: Math.max(SHORTEST_SECONDS, seconds), patienceMs: PATIENCE_MS }
  const [result, gentle] = await Promise.all([
    openLoad({ ...pace, requests: logins, perSecond: OVERLOAD * capacity }),
    openLoad({ ...pace, requests: profiles, perSecond: GENTLE_PER_SECOND })
  ])
  // Who gave up has waited for all his patience.
  return { logins: result, profileP99Ms: quantile(gentle.answers.map(({ status, ms }) => status === 200 ? ms : PATIENCE_MS), 0.99) }
}

/** The bare loop of argon2. */
export async function hashesPerSecond ({ hash, password }: Workspace, seconds: number): Promise<number> {
  return await runJob<number>('argon2-loop.ts', { hash, password, seconds })
}

/**
 * The limit is the bare loop with nothing beside it. So all that the senders take of the cores, which in earnest are
 * other machines, is counted against the service.
 */
export async function measureOverload ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const requests = { logins: loginRequests(workspace), profiles: profileRequests(workspace) }
  const service = await startService(workspace)
  const rates: Pair[] = []
  const refusals: number[] = []
  const profiles: number[] = []
  const senderCores: number[] = []
  for (let round = 0; round < rounds; round++) {
    const limit = await hashesPerSecond(workspace, seconds)
    const { logins, profileP99Ms } = await overload(service.url, requests, limit, seconds)
    checkAnswers(logins)
    rates.push({ figure: logins.goodPerSecond, limit })
    refusals.push(quantile(logins.answers.filter(({ status }) => status === TEMPORARILY_UNAVAILABLE).map(({ ms }) => ms), 0.5))
    profiles.push(profileP99Ms)
    senderCores.push(logins.cores)
  }
  await service.stop()
  return [
    { ...ratioFigure('POST /token (password), 10 x overload: good answers : argon2 loop', GOAL, rates), senderCores },
    { name: 'POST /token (password), 10 x overload: median time to a 503', goal: { below: REFUSED_WITHIN_MS, unit: 'ms' }, rounds: refusals },
    { name: 'GET /users/me beside 10 x overload: 99th percentile', goal: { below: PROFILE_WITHIN_MS, unit: 'ms' }, rounds: profiles }
  ]
}

/** @throws Error if somebody was answered who was neither served nor refused */
function checkAnswers ({ answers }: OpenResult): void {
  const other = answers.find(({ status }) => ![200, TEMPORARILY_UNAVAILABLE, 0].includes(status))
  if (other !== undefined) throw new Error(`A log-in was answered with ${other.status}`)
}
