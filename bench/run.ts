import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { drawChart } from './chart.ts'
import type { Bench } from './load.ts'
import { describeMachine } from './machine.ts'
import { measureFlood } from './measurements/flood.ts'
import { measureLogin } from './measurements/login.ts'
import { measureMemory } from './measurements/memory.ts'
import { measureMillion } from './measurements/million.ts'
import { measureOverload } from './measurements/overload.ts'
import { measurePeers } from './measurements/peers.ts'
import { measureProfile } from './measurements/profile.ts'
import { measureRefresh } from './measurements/refresh.ts'
import { measureReplicas } from './measurements/replicas.ts'
import { measureRevocation } from './measurements/revocation.ts'
import { measureStart } from './measurements/start.ts'
import { createSchema } from './postgres-schema.ts'
import { killAll } from './processes.ts'
import { formatTable, toJson, type Figure } from './report.ts'
import { createWorkspace } from './workspace.ts'

const MEASUREMENTS: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  profile: measureProfile,
  login: measureLogin,
  refresh: measureRefresh,
  start: measureStart,
  memory: measureMemory,
  million: measureMillion,
  overload: measureOverload,
  flood: measureFlood,
  peers: measurePeers
}
const ON_DEMAND = 'peers'
/** Those that make sense with each database. */
const ON_POSTGRES: typeof MEASUREMENTS = { profile: measureProfile, login: measureLogin, replicas: measureReplicas, revocation: measureRevocation }
const MEASUREMENTS_ON: Readonly<Record<string, typeof MEASUREMENTS>> = { sqlite: MEASUREMENTS, postgres: ON_POSTGRES }

const FULL = { rounds: 5, seconds: 3, isQuick: false }
const QUICK = { rounds: 3, seconds: 1, isQuick: true }
const LOG_LINES = 10

const USAGE = `Usage: npm run bench -- [--quick] [--peers] [--database postgres] [--only NAME]... [--json FILE] [--chart FILE]
  --quick       short rounds, for a first impression
  --peers       compares with other programs too, whose packages are fetched for that
  --only NAME   only this: ${Object.keys(MEASUREMENTS).join(', ')}
  --database postgres
                measures at BENCH_DATABASE_URL (postgres://postgres@127.0.0.1:5432/test), in a schema of its own:
                ${Object.keys(ON_POSTGRES).join(', ')}
  --json FILE   writes everything that was measured to the file
  --chart FILE  draws the figures (SVG)
`

interface Wanted {
  measurements: typeof MEASUREMENTS
  names: readonly string[]
  /** Of an empty schema in PostgreSQL. */
  databaseUrl: string | undefined
  pace: typeof FULL
  jsonPath: string | undefined
  chartPath: string | undefined
}

/** Whether everything could be measured. */
async function main ({ measurements, names, databaseUrl, pace, jsonPath, chartPath }: Wanted): Promise<boolean> {
  const workspace = await createWorkspace({ databaseUrl })
  const startedAt = performance.now()
  const figures: Figure[] = []
  const failed: string[] = []
  const skipped: string[] = []
  for (const name of names) {
    process.stderr.write(`Measuring: ${name}\n`)
    try {
      figures.push(...await measurements[name]?.({ workspace, ...pace, skip: (what) => { skipped.push(what) } }) ?? [])
    } catch (error) {
      failed.push(name)
      killAll()
      const log = readFileSync(workspace.logPath, { encoding: 'utf8', flag: 'a+' }).split('\n').slice(-LOG_LINES)
      process.stderr.write(`${(error as Error).stack}\nThe end of the service's log:\n${log.join('\n')}\n`)
    }
  }
  const machine = describeMachine()
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1)
  process.stdout.write(`Node ${machine.node}, ${machine.cores} cores; medians of up to ${pace.rounds} rounds of ${pace.seconds} s; it took ${minutes} min\n\n${formatTable(figures)}`)
  if (skipped.length > 0) process.stdout.write(`\nSkipped: ${skipped.join('; ')}\n`)
  if (failed.length > 0) process.stdout.write(`\nCould not be measured: ${failed.join(', ')}\n`)
  if (jsonPath !== undefined) writeFileSync(jsonPath, `${JSON.stringify({ machine, figures: toJson(figures) }, null, 2)}\n`)
  if (chartPath !== undefined) writeFileSync(chartPath, drawChart(figures))
  return failed.length === 0
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    database: { type: 'string', default: 'sqlite' },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    chart: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})
const measurements = MEASUREMENTS_ON[values.database] ?? {}
const only = values.only ?? Object.keys(measurements).filter((name) => name !== ON_DEMAND)
const names = values.peers ? [...new Set([...only, ON_DEMAND])] : only

if (values.help || names.length === 0 || !names.every((name) => name in measurements)) {
  process.stderr.write(USAGE)
  process.exit(values.help ? 0 : 1)
}

const schema = values.database === 'postgres' ? await createSchema() : undefined

async function end (code: number): Promise<void> {
  killAll()
  await schema?.drop()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { end(1).catch(() => { process.exit(1) }) })

const isComplete = await main({
  measurements,
  names,
  databaseUrl: schema?.url,
  pace: values.quick ? QUICK : FULL,
  jsonPath: values.json,
  chartPath: values.chart
})
await end(isComplete ? 0 : 1)
