import type { Load, LoadResult } from './client.ts'
import type { OpenLoad, OpenResult } from './open-loop.ts'
import { runJob } from './processes.ts'
import type { Pair } from './report.ts'
import type { Workspace } from './workspace.ts'

/** Rounds before those that count: at some hundred log-ins a second V8 takes a while to see which code is worth optimizing. */
export const LOGIN_WARM_UP = 8

/** What every measurement is given. */
export interface Bench {
  workspace: Workspace
  rounds: number
  /** How long each side of a round lasts. */
  seconds: number
  isQuick: boolean
  /** Tells people what can't be measured here, and why. */
  skip (what: string): void
}

/**
 * Good answers per second.
 *
 * @throws Error if one answer was not good: the figure would say nothing
 */
export async function load (job: Load): Promise<number> {
  const { perSecond, refused } = await flood(job)
  if (refused > 0) throw new Error(`${refused} answers 503 from ${job.url}`)
  return perSecond
}

/**
 * The same where more may come than can be served.
 *
 * @throws Error if one answer was neither good nor 503, or none was good
 */
export async function flood (job: Load): Promise<LoadResult> {
  const result = await runJob<LoadResult>('client.ts', job)
  if (result.wrong > 0 || result.perSecond === 0) throw new Error(`${result.wrong} wrong answers, and ${result.perSecond} good ones per second, from ${job.url}`)
  return result
}

/** Requests that come at their times, from a process of their own. */
export async function openLoad (job: OpenLoad): Promise<OpenResult> {
  return await runJob<OpenResult>('open-loop.ts', job)
}

/** Measures the limit and the figure in turn, because the machine may be faster at one time than at another. */
export async function inTurn (rounds: number, limit: () => Promise<number>, figure: () => Promise<number>): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let round = 0; round < rounds; round++) pairs.push({ limit: await limit(), figure: await figure() })
  return pairs
}
