import t from 'tap'
import { createBench, refusalOf } from './hash-queue-bench.ts'

t.test('a watcher is told how long each job waited, and of each that was refused', async (t) => {
  const { queue, ask, end, advance, measure } = createBench({ maxWaitMs: 200 })
  await measure(100)
  const seen: Array<number | 'refused'> = []
  queue.watch({ started: (waitedMs) => { seen.push(waitedMs) }, refused: () => { seen.push('refused') } })

  const first = ask()
  const second = ask()
  await refusalOf(queue, { network: 'network 1', isKnown: true })
  advance(70)
  end(0)
  await first
  end(1)
  await second

  t.strictSame(seen, [0, 'refused', 70])
})
