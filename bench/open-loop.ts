import { setTimeout as sleep } from 'node:timers/promises'
import type { Request } from 'autocannon'
import { doJob } from './child.ts'
import { createSender, type Answer } from './sender.ts'

/**
 * Requests that come at their times, whether or not those before were answered, as from people who know nothing of each
 * other. autocannon can't do that: each of its connections waits for its answer, and all send together once a second.
 */
export interface OpenLoad {
  url: string
  /** Sent in turn, again and again. */
  requests: readonly Request[]
  perSecond: number
  /** The load comes before the seconds that count. */
  leadInSeconds: number
  seconds: number
  /** Who has no answer by then goes away. */
  patienceMs: number
}

export interface OpenResult {
  /** To the requests of the seconds that count. */
  answers: Answer[]
  /** Good answers that came in these seconds. */
  goodPerSecond: number
  /** What sending took of a core. */
  cores: number
}

const SHORTEST_SLEEP_MS = 1
const LONGEST_SLEEP_MS = 20

doJob(async ({ url, requests, perSecond, leadInSeconds, seconds, patienceMs }: OpenLoad): Promise<OpenResult> => {
  const sender = createSender(url)
  const answers: Answer[] = []
  let good = 0
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const from = startedAt + leadInSeconds * 1000
  const to = from + seconds * 1000
  const dueAtOf = (number: number): number => startedAt + number / perSecond * 1000

  function send (number: number): void {
    const dueAt = dueAtOf(number)
    sender.send(requests[number % requests.length] as Request, dueAt, (answer) => {
      const answeredAt = dueAt + answer.ms
      if (answer.status === 200 && answeredAt >= from && answeredAt < to) good++
      if (dueAt >= from) answers.push(answer)
    })
  }

  async function waitUntil (dueAt: number): Promise<void> {
    sender.giveUp(performance.now() - patienceMs)
    await sleep(Math.min(LONGEST_SLEEP_MS, Math.max(SHORTEST_SLEEP_MS, dueAt - performance.now())))
  }

  let sent = 0
  while (performance.now() < to) {
    for (; dueAtOf(sent) <= performance.now(); sent++) send(sent)
    await waitUntil(dueAtOf(sent))
  }
  const { user, system } = process.cpuUsage(cpu)
  const cores = (user + system) / 1000 / (performance.now() - startedAt)
  while (sender.waiting > 0) await waitUntil(Infinity)
  sender.close()
  return { answers, goodPerSecond: good / seconds, cores }
})
