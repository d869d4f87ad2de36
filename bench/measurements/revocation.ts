import type { Bench } from '../load.ts'
import { startService } from '../processes.ts'
import type { Figure } from '../report.ts'
import { getRequest, loginRequests, sendOnce } from '../requests.ts'

const SESSIONS = 100
const WITHIN_MS = 100

interface Tokens {
  access_token: string
  refresh_token: string
}

/** How long another replica, which remembers the session, goes on to believe it after one has said that it is revoked. */
export async function measureRevocation ({ workspace }: Bench): Promise<Figure[]> {
  const one = await startService(workspace)
  const two = await startService(workspace)
  const waits: number[] = []
  for (const request of loginRequests(workspace).slice(0, SESSIONS)) {
    const { access_token: token, refresh_token: refreshToken } = await sendOnce(one.url, request) as Tokens
    await sendOnce(two.url, getRequest('/users/me', token))
    await revoke(one.url, refreshToken)
    waits.push(await timeBelief(two.url, token))
  }
  await Promise.all([one.stop(), two.stop()])
  return [{ name: `A session revoked at one replica is refused by the other, slowest of ${SESSIONS}`, goal: { below: WITHIN_MS, unit: 'ms' }, rounds: [Math.max(...waits)] }]
}

async function revoke (url: string, token: string): Promise<void> {
  const { ok } = await fetch(`${url}/revoke`, { method: 'POST', body: new URLSearchParams({ token }), headers: { connection: 'close' } })
  if (!ok) throw new Error('A session was not revoked')
}

async function timeBelief (url: string, token: string): Promise<number> {
  const startedAt = performance.now()
  let isOver = false
  while (!isOver) isOver = !await isBelieved(url, token)
  return performance.now() - startedAt
}

async function isBelieved (url: string, token: string): Promise<boolean> {
  const response = await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } })
  await response.arrayBuffer()
  return response.ok
}
