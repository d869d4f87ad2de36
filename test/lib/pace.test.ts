import { mock } from 'node:test'
import t from 'tap'
import { createPace } from '../../lib/pace.ts'

const { timers } = mock
timers.enable({ apis: ['setTimeout'] })

t.test('without hurry all go at once', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => false, perSecond: 1 })

  for (let number = 0; number < 3; number++) pace.pass(() => { gone.push(number) })

  t.strictSame(gone, [0, 1, 2])
})

t.test('in a hurry a few go at a time, in the order in which they came', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, perSecond: 200 })

  for (let number = 0; number < 5; number++) pace.pass(() => { gone.push(number) })

  t.strictSame(gone, [])
  for (const expected of [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]]) {
    timers.tick(10)
    t.strictSame(gone, expected)
  }
})

t.test('who comes while others wait waits behind them, also when the hurry is over', async (t) => {
  let isBusy = true
  const gone: string[] = []
  const pace = createPace({ isBusy: () => isBusy, perSecond: 100 })

  pace.pass(() => { gone.push('first') })
  isBusy = false
  pace.pass(() => { gone.push('second') })
  timers.tick(10)
  t.strictSame(gone, ['first'])
  timers.tick(10)
  pace.pass(() => { gone.push('third') })

  t.strictSame(gone, ['first', 'second', 'third'])
})

t.test('it goes on as before when the line was empty', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, perSecond: 100 })
  pace.pass(() => { gone.push(1) })
  timers.tick(10)

  pace.pass(() => { gone.push(2) })

  t.strictSame(gone, [1])
  timers.tick(10)
  t.strictSame(gone, [1, 2])
})

t.test('when it is stopped all go, and nobody waits any more', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, perSecond: 1 })
  pace.pass(() => { gone.push(1) })

  pace.stop()
  pace.pass(() => { gone.push(2) })

  t.strictSame(gone, [1, 2])
})
