import t from 'tap'
import { createBench, refusalOf, SOMEBODY } from './hash-queue-bench.ts'

t.test('who finds a free slot is served however slow the jobs were', async (t) => {
  const { queue, measure } = createBench({ maxWaitMs: 0 })
  await measure(10_000)

  t.equal(await queue.run(async () => 'hash', SOMEBODY), 'hash')
})

t.test('one slow job does not count for all, a lasting change of pace does', async (t) => {
  for (const { slowJobs, retryAfter } of [{ slowJobs: 1, retryAfter: '1' }, { slowJobs: 50, retryAfter: '4' }]) {
    const { queue, ask, measure } = createBench({ maxWaitMs: 400 })
    await measure(100)
    for (let job = 0; job < slowJobs; job++) await measure(4000)
    for (let asked = 0; asked < 5; asked++) ask().catch(() => {})

    t.strictSame((await refusalOf(queue)).headers, { 'retry-after': retryAfter })
  }
})

t.test('a job that was stopped for a minute and went on leaves three of four places', async (t) => {
  const { queue, ask, measure } = createBench({ maxWaitMs: 400 })
  await measure(100)
  await measure(60_000)

  for (let asked = 0; asked < 5; asked++) ask().catch(() => {})

  t.equal(queue.waiting, 3)
})

t.test('the time that a failed job took counts as well', async (t) => {
  const { queue, ask, fail, advance } = createBench({ maxWaitMs: 500 })

  const failed = ask()
  advance(4000)
  fail(0, new Error('out of memory'))
  await t.rejects(failed)
  ask().catch(() => {})

  t.match(await refusalOf(queue), { headers: { 'retry-after': '4' } })
})
