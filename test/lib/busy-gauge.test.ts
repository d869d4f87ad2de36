import t from 'tap'
import { createBusyGauge } from '../../lib/busy-gauge.ts'

t.test('tells the share of a core since it was asked last', async (t) => {
  const readings = [[0, 5000, 1000], [300_000, 5000, 1300], [310_000, 20_000, 1400], [310_000, 20_000, 1500]]
    .map(([user = 0, system = 0, at = 0]) => ({ cpu: { user, system }, at })).values()
  const busyShare = createBusyGauge(() => readings.next().value as { cpu: { user: number, system: number }, at: number })

  t.strictSame([busyShare(), busyShare(), busyShare()], [1, 0.25, 0])
})

t.test('tells work of this thread from waiting', async (t) => {
  const busyShare = createBusyGauge()

  for (const end = performance.now() + 50; performance.now() < end;);
  const working = busyShare()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  const waiting = busyShare()

  t.ok(working > 10 * waiting, `${working} and ${waiting}`)
})
