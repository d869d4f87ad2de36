import type { Request } from 'autocannon'
import type { LoadResult } from '../client.ts'
import { openLoad, type Bench } from '../load.ts'
import { runJob, startService } from '../processes.ts'
import { quantile } from '../quantile.ts'
import { quietLogin, timeRecovery } from '../recovery.ts'
import { median, type Figure } from '../report.ts'
import { loginRequest, profileRequests } from '../requests.ts'
import { watchMemory } from '../resident-memory.ts'
import type { Answer } from '../sender.ts'
import { createWorkspace, type Workspace } from '../workspace.ts'

const CONNECTIONS = 400
const NETWORKS = 8000
const FULL_SECONDS = 60
const QUICK_SECONDS = 10
const LEAD_IN_SECONDS = 2
const OWNERS = 20
const OWNERS_PER_SECOND = 2
const PATIENCE_MS = 2500
const PROFILES_PER_SECOND = 50
const MEMORY_EVERY_MS = 1000
/** Of the flood, after which the heap has its size. */
const GROWN_UP_SHARE = 1 / 3

const GOALS = { logins: 1, profileMs: 50, memoryMb: 220, growth: 1.1, recoverySeconds: 5 }
// Wrong, throttled, refused.
const EXPECTED = ['400', '429', '503']

/** Each from a network of its own, behind a proxy that the service trusts, with a password that is wrong. */
function attack ({ users }: Workspace): Request[] {
  return Array.from({ length: NETWORKS }, (_nothing, network) => {
    const username = users[network % users.length]?.username as string
    return loginRequest(username, `a wrong password ${network}`, { 'x-forwarded-for': `10.${network >> 8}.${network & 255}.1` })
  })
}

function ownersLogins ({ users, password }: Workspace): Request[] {
  return users.slice(0, OWNERS).map(({ username }, owner) => loginRequest(username, password, { 'x-forwarded-for': `192.0.2.${owner + 1}` }))
}

/** Somebody guesses passwords from many networks, as fast as he can, for a minute. */
export async function measureFlood ({ isQuick }: Bench): Promise<Figure[]> {
  const workspace = await createWorkspace({ env: { TRUST_PROXY: '127.0.0.1' } })
  const service = await startService(workspace)
  const { url } = service
  const owners = ownersLogins(workspace)
  const quietMs = await quietLogin(url, owners)

  const duration = isQuick ? QUICK_SECONDS : FULL_SECONDS
  const pace = { url, leadInSeconds: LEAD_IN_SECONDS, seconds: duration - LEAD_IN_SECONDS, patienceMs: PATIENCE_MS }
  const flood = async () => await Promise.all([
    runJob<LoadResult>('client.ts', { url, seconds: duration, connections: CONNECTIONS, requests: attack(workspace) }),
    openLoad({ ...pace, requests: owners, perSecond: OWNERS_PER_SECOND }),
    openLoad({ ...pace, requests: profileRequests(workspace), perSecond: PROFILES_PER_SECOND })
  ])
  let results: Awaited<ReturnType<typeof flood>> | undefined
  const memory = await watchMemory(service.pid, MEMORY_EVERY_MS, async () => { results = await flood() })
  const recovery = await timeRecovery(url, owners, quietMs)
  await service.stop()
  workspace.remove()
  const [{ statuses }, logins, profiles] = results as NonNullable<typeof results>
  return describe({ statuses, logins: logins.answers, profiles: profiles.answers, memory, recovery })
}

interface Seen {
  statuses: Readonly<Record<string, number>>
  logins: readonly Answer[]
  profiles: readonly Answer[]
  memory: readonly number[]
  recovery: number
}

function describe ({ statuses, logins, profiles, memory, recovery }: Seen): Figure[] {
  const unexpected = Object.keys(statuses).find((status) => !EXPECTED.includes(status))
  if (unexpected !== undefined) throw new Error(`A guess was answered with ${unexpected}`)
  const share = logins.filter(({ status }) => status === 200).length / logins.length
  const profileMs = quantile(profiles.map(({ status, ms }) => status === 200 ? ms : PATIENCE_MS), 0.99)
  const grownUp = memory.slice(Math.floor(memory.length * GROWN_UP_SHARE))
  const half = Math.ceil(grownUp.length / 2)
  const growth = median(grownUp.slice(-half)) / median(grownUp.slice(0, half))
  return [
    { name: 'Flood of wrong passwords: owners who log in within 2.5 s', goal: { atLeast: GOALS.logins }, rounds: [share], statuses },
    { name: 'Flood of wrong passwords: 99th percentile of GET /users/me', goal: { below: GOALS.profileMs, unit: 'ms' }, rounds: [profileMs] },
    { name: 'Flood of wrong passwords: most resident memory', goal: { below: GOALS.memoryMb, unit: 'MB' }, rounds: [Math.max(...memory)], series: memory },
    { name: 'Flood of wrong passwords: memory of the last third : of the second', goal: { below: GOALS.growth, unit: 'times' }, rounds: [growth] },
    { name: 'Flood of wrong passwords: time to a quick log-in after it', goal: { below: GOALS.recoverySeconds, unit: 's' }, rounds: [recovery] }
  ]
}
