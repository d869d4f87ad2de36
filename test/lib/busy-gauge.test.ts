import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createBusyGauge } from '../../lib/busy-gauge.ts'

const OVER_MS = 50

function work (ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

t.test('an event loop that works all the time is busy, one that waits is not', async (t) => {
  const isBusy = createBusyGauge({ share: 0.8, overMs: OVER_MS })
  await sleep(OVER_MS)
  const atFirst = isBusy()

  work(5 * OVER_MS)
  const atWork = isBusy()
  await sleep(20 * OVER_MS)
  const atRest = isBusy()

  t.strictSame([atFirst, atWork, atRest], [false, true, false])
})

t.test('it is measured over a while and not anew each time', async (t) => {
  const isBusy = createBusyGauge({ share: 0.8, overMs: 60_000 })

  work(OVER_MS)

  t.equal(isBusy(), false)
})
