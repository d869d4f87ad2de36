import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench } from './load.ts'
import { measureLogin } from './measurements/login.ts'
import { measureMemory } from './measurements/memory.ts'
import { measureProfile } from './measurements/profile.ts'
import { measureRefresh } from './measurements/refresh.ts'
import { measureStart } from './measurements/start.ts'
import { killAll } from './processes.ts'
import { formatTable, toJson, type Figure } from './report.ts'
import { createWorkspace } from './workspace.ts'

const MEASUREMENTS: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  profile: measureProfile,
  login: measureLogin,
  refresh: measureRefresh,
  start: measureStart,
  memory: measureMemory
}

const FULL = { rounds: 5, seconds: 4 }
const QUICK = { rounds: 3, seconds: 1 }
const LOG_LINES = 10

const USAGE = `Usage: npm run bench -- [--quick] [--only NAME]... [--json FILE]
  --quick      short rounds, for a first impression
  --only NAME  only this: ${Object.keys(MEASUREMENTS).join(', ')}
  --json FILE  writes everything that was measured to the file
`

/** Whether everything could be measured. */
async function main (names: readonly string[], pace: typeof FULL, jsonPath: string | undefined): Promise<boolean> {
  const workspace = await createWorkspace()
  process.once('exit', () => { workspace.remove() })
  const figures: Figure[] = []
  const failed: string[] = []
  for (const name of names) {
    process.stderr.write(`Measuring: ${name}\n`)
    try {
      figures.push(...await MEASUREMENTS[name]?.({ workspace, ...pace }) ?? [])
    } catch (error) {
      failed.push(name)
      killAll()
      const log = readFileSync(workspace.logPath, { encoding: 'utf8', flag: 'a+' }).split('\n').slice(-LOG_LINES)
      process.stderr.write(`${(error as Error).stack}\nThe end of the service's log:\n${log.join('\n')}\n`)
    }
  }
  process.stdout.write(`Node ${process.version}, ${availableParallelism()} cores; medians of ${pace.rounds} rounds of ${pace.seconds} s\n\n${formatTable(figures)}`)
  if (failed.length > 0) process.stdout.write(`\nCould not be measured: ${failed.join(', ')}\n`)
  if (jsonPath !== undefined) writeFileSync(jsonPath, `${JSON.stringify(toJson(figures), null, 2)}\n`)
  return failed.length === 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { process.exit(1) })

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: Object.keys(MEASUREMENTS) },
    json: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})

if (values.help || !values.only.every((name) => name in MEASUREMENTS)) {
  process.stderr.write(USAGE)
  process.exit(values.help ? 0 : 1)
}
const isComplete = await main(values.only, values.quick ? QUICK : FULL, values.json)
process.exit(isComplete ? 0 : 1)
