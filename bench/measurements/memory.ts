import { setTimeout as sleep } from 'node:timers/promises'
import { flood, type Bench } from '../load.ts'
import { startService } from '../processes.ts'
import type { Figure } from '../report.ts'
import { loginRequests } from '../requests.ts'
import { residentMb, watchMemory } from '../resident-memory.ts'

const CONNECTIONS = 100
const SETTLE_MS = 2000
const SAMPLE_EVERY_MS = 100
const IDLE_GOAL_MB = 110
const FLOOD_GOAL_MB = 220

/** Resident memory after the start, and the most of it while people log in as fast as they can. */
export async function measureMemory ({ workspace, rounds, seconds }: Bench): Promise<Figure[]> {
  const idle: number[] = []
  const flooded: number[] = []
  for (let round = 0; round < rounds; round++) {
    const service = await startService(workspace)
    await sleep(SETTLE_MS)
    idle.push(residentMb(service.pid))

    const work = async () => await flood({ url: service.url, seconds, connections: CONNECTIONS, requests: loginRequests(workspace) })
    flooded.push(Math.max(...await watchMemory(service.pid, SAMPLE_EVERY_MS, work)))
    await service.stop()
  }
  return [
    { name: 'Resident memory, idle', goal: { below: IDLE_GOAL_MB, unit: 'MB' }, rounds: idle },
    { name: 'Resident memory, log-in flood', goal: { below: FLOOD_GOAL_MB, unit: 'MB' }, rounds: flooded }
  ]
}
