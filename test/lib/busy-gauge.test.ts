import t from 'tap'
import { createBusyGauge } from '../../lib/busy-gauge.ts'

t.test('tells the share of the time since it was asked last', async (t) => {
  const readings = [{ idle: 1000, active: 0 }, { idle: 1000, active: 300 }, { idle: 1075, active: 325 }, { idle: 1175, active: 325 }].values()
  const busyShare = createBusyGauge(() => readings.next().value as { idle: number, active: number })

  t.strictSame([busyShare(), busyShare(), busyShare()], [1, 0.25, 0])
})
