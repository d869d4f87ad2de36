import t from 'tap'
import { createTally } from '../../lib/tally.ts'

t.test('what happens often is told at once, then once in a while with how often it was', async (t) => {
  let now = 0
  const reports: number[] = []
  const happen = createTally({ everyMs: 1000, now: () => now, report: (count) => { reports.push(count) } })

  happen()
  t.strictSame(reports, [1])

  now = 999
  for (let times = 0; times < 10; times++) happen()
  t.strictSame(reports, [1])

  now = 1000
  happen()
  t.strictSame(reports, [1, 11])

  now = 5000
  happen()
  t.strictSame(reports, [1, 11, 1])
})
