import t from 'tap'
import { createBench, refusalOf, SOMEBODY } from './hash-queue-bench.ts'

t.test('who finds a free slot is served however slow the jobs were', async (t) => {
  const { queue, measure } = createBench({ maxWaitMs: 0 })
  await measure(10_000)

  t.equal(await queue.run(async () => 'hash', SOMEBODY), 'hash')
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

t.test('a lasting change of pace counts', async (t) => {
  const { queue, ask, measure } = createBench({ maxWaitMs: 400 })
  await measure(100)
  for (let job = 0; job < 50; job++) await measure(4000)

  ask().catch(() => {})

  t.strictSame((await refusalOf(queue)).headers, { 'retry-after': '4' })
})
