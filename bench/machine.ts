import { availableParallelism, cpus, totalmem } from 'node:os'

/** What the figures were taken on and how. */
export interface Machine {
  node: string
  cores: number
  processor: string
  memoryGb: number
}

export function describeMachine (): Machine {
  return {
    node: process.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1e9)
  }
}
