import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { build, captureLog, type Env } from './helper.ts'

/** The value of each series by its name and labels, as Prometheus writes them. */
export type Series = Map<string, number>

export interface MeasuredService {
  app: FastifyInstance
  url: string
  log: ReturnType<typeof captureLog>
  scrape: () => Promise<Series>
}

/** Builds the whole service with metrics on a free port. */
export async function buildMeasured (t: Test, env: Env = {}): Promise<MeasuredService> {
  const log = captureLog()
  const app = await build(t, { METRICS_PORT: '0', ...env }, log.logger)
  const url = log.lines.map(({ msg }) => /^Metrics at (\S+)$/.exec(String(msg))?.[1]).find((found) => found !== undefined)
  if (url === undefined) throw new Error('nobody listens for Prometheus')
  return { app, url, log, scrape: async () => parseSeries(await (await ask(url)).text()) }
}

/** On a connection of its own, which nobody has to close. */
export async function ask (url: string, method = 'GET'): Promise<Response> {
  return await fetch(url, { method, headers: { connection: 'close' } })
}

export function parseSeries (text: string): Series {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

/** Which series have another value than before, and by how much. */
export function growth (before: Series, after: Series, name: string): Record<string, number> {
  const grown = [...after].filter(([series, value]) => series.startsWith(name) && value !== (before.get(series) ?? 0))
  return Object.fromEntries(grown.map(([series, value]) => [series.slice(name.length), value - (before.get(series) ?? 0)]))
}
