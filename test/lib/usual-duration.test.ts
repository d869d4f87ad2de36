import t from 'tap'
import { createUsualDuration } from '../../lib/usual-duration.ts'

function usualAfter (...durations: readonly number[]): number {
  const usual = createUsualDuration()
  for (const tookMs of durations) usual.add(tookMs)
  return Math.round(usual.ms)
}

const hundred = (times: number): number[] => Array<number>(times).fill(100)

t.test('how long it usually takes', async (t) => {
  t.equal(usualAfter(), 0, 'is not known at first')
  t.equal(usualAfter(300), 300, 'is what it took the first time')
  t.equal(usualAfter(300, 100), 100, 'which does not count any more the second time')
  t.equal(usualAfter(300, 100, 200), 150, 'from which on all count')
  t.equal(usualAfter(300, 100, 200, 300), 200, 'equally')
  t.equal(usualAfter(...hundred(20), 200), 110, 'but later a tenth')
  t.equal(usualAfter(...hundred(20), 60_000), 130, 'where one is the fourfold at most')
  t.equal(usualAfter(100, 60_000), 400, 'also the second time')
  t.equal(usualAfter(...hundred(20), ...Array<number>(200).fill(4000)), 4000, 'so that a lasting change counts')
})
