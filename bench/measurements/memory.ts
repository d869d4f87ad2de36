import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { flood, type Bench } from '../load.ts'
import { startService } from '../processes.ts'
import type { Figure } from '../report.ts'
import { loginRequests } from './login.ts'

const CONNECTIONS = 100
const SETTLE_MS = 2000
const SAMPLE_EVERY_MS = 100
const IDLE_GOAL_MB = 110
const FLOOD_GOAL_MB = 220

function residentMb (pid: number): number {
  const kib = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }))
  if (!(kib > 0)) throw new Error('The memory of the service could not be read')
  return kib * 1024 / 1e6
}

/** Resident memory after the start, and the most of it while people log in as fast as they can. */
export async function measureMemory ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const idle: number[] = []
  const flooded: number[] = []
  for (let round = 0; round < rounds; round++) {
    const service = await startService(workspace)
    await sleep(SETTLE_MS)
    idle.push(residentMb(service.pid))

    let most = 0
    const timer = setInterval(() => { most = Math.max(most, residentMb(service.pid)) }, SAMPLE_EVERY_MS)
    try {
      await flood({ url: service.url, seconds, connections: CONNECTIONS, requests: loginRequests(workspace) })
    } finally {
      clearInterval(timer)
    }
    flooded.push(Math.max(most, residentMb(service.pid)))
    await service.stop()
  }
  return [
    { name: 'Resident memory, idle', goal: { below: IDLE_GOAL_MB, unit: 'MB' }, rounds: idle },
    { name: 'Resident memory, log-in flood', goal: { below: FLOOD_GOAL_MB, unit: 'MB' }, rounds: flooded }
  ]
}
