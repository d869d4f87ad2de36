import type { Bench } from '../load.ts'
import { startService } from '../processes.ts'
import type { Figure } from '../report.ts'

const STARTS = 7
const GOAL_SECONDS = 1

/** From the start of the process to the first answer that says it is ready, with a database that exists. */
export async function measureStart ({ workspace }: Bench): Promise<Figure[]> {
  const rounds: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const service = await startService(workspace)
    rounds.push(service.readyMs / 1000)
    await service.stop()
  }
  return [{ name: 'Start to ready', goal: { below: GOAL_SECONDS, unit: 's' }, rounds }]
}
