import { hash } from '@node-rs/argon2'
import { InvalidArgumentError, type Command } from 'commander'
import { MAX_MEMORY_KIB } from '../lib/phc.ts'
import { addCommand, print, type OutputOptions } from './output.ts'

// The least that OWASP recommends with two passes, in KiB.
const LEAST_MEMORY_KIB = 19_456
const PASSES = 2
const ROUNDS = 5

export function addCalibrateCommand (program: Command): void {
  addCommand(program, 'calibrate', 'measure this machine and print the argon2 settings to use')
    .option('--target-ms <ms>', 'how long one hash may take', parseMilliseconds, 50)
    .action(async ({ targetMs, ...output }: OutputOptions & { targetMs: number }) => {
      const least = await measure(LEAST_MEMORY_KIB)
      // The time grows with the memory.
      const memory = Math.min(MAX_MEMORY_KIB, Math.max(LEAST_MEMORY_KIB, Math.floor(LEAST_MEMORY_KIB * targetMs / least)))
      const took = Math.round(await measure(memory))
      print(output, { ARGON2_MEMORY_KIB: memory, ARGON2_TIME_COST: PASSES, ARGON2_PARALLELISM: 1, ms: took }, [
        `# one hash takes ${took} ms here`,
        `ARGON2_MEMORY_KIB=${memory}`,
        `ARGON2_TIME_COST=${PASSES}`,
        'ARGON2_PARALLELISM=1'
      ].join('\n'))
    })
}

function parseMilliseconds (text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError('It must be a number above 0 and up to 10000.')
  return value
}

async function measure (memoryCost: number): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    await hash('calibration', { memoryCost, timeCost: PASSES, parallelism: 1 })
    times.push(performance.now() - startedAt)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number
}
