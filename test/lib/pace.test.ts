import { mock } from 'node:test'
import t from 'tap'
import { createPace } from '../../lib/pace.ts'

const { timers } = mock
timers.enable({ apis: ['setTimeout'] })

/** The clock of a line whose timers are never late, unless it is told so. */
let at = 0
const now = (): number => at
const advance = (ms: number): void => {
  at += ms
  timers.tick(10)
}

t.test('without hurry all go at once', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => false, now, perSecond: 1 })

  for (let number = 0; number < 3; number++) pace.pass(() => { gone.push(number) })

  t.strictSame(gone, [0, 1, 2])
})

t.test('in a hurry a few go at a time, in the order in which they came', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, now, perSecond: 200 })

  for (let number = 0; number < 5; number++) pace.pass(() => { gone.push(number) })

  t.strictSame(gone, [])
  for (const expected of [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]]) {
    advance(10)
    t.strictSame(gone, expected)
  }
})

t.test('who comes while others wait waits behind them, also when the hurry is over', async (t) => {
  let isBusy = true
  const gone: string[] = []
  const pace = createPace({ isBusy: () => isBusy, now, perSecond: 100 })

  pace.pass(() => { gone.push('first') })
  isBusy = false
  pace.pass(() => { gone.push('second') })
  advance(10)
  t.strictSame(gone, ['first'])
  advance(10)
  pace.pass(() => { gone.push('third') })

  t.strictSame(gone, ['first', 'second', 'third'])
})

t.test('it goes on as before when the line was empty', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, now, perSecond: 100 })
  pace.pass(() => { gone.push(1) })
  advance(10)

  pace.pass(() => { gone.push(2) })

  t.strictSame(gone, [1])
  advance(10)
  t.strictSame(gone, [1, 2])
})

t.test('when it is stopped all go, and nobody waits any more', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, now, perSecond: 1 })
  pace.pass(() => { gone.push(1) })

  pace.stop()
  pace.pass(() => { gone.push(2) })

  t.strictSame(gone, [1, 2])
})

t.test('when the event loop is late, those go who should have gone meanwhile', async (t) => {
  const gone: number[] = []
  const pace = createPace({ isBusy: () => true, now, perSecond: 100 })
  for (let number = 0; number < 6; number++) pace.pass(() => { gone.push(number) })

  advance(40)
  t.strictSame(gone, [0, 1, 2, 3])
  advance(10)

  t.strictSame(gone, [0, 1, 2, 3, 4])
})

t.test('who leaves the line keeps nobody waiting', async (t) => {
  const gone: string[] = []
  const pace = createPace({ isBusy: () => true, now, perSecond: 100 })
  const leave = pace.pass(() => { gone.push('first') })
  pace.pass(() => { gone.push('second') })

  leave()
  advance(10)

  t.strictSame(gone, ['second'])
})

t.test('when all have left the line, nobody is behind them', async (t) => {
  let isBusy = true
  const gone: string[] = []
  const pace = createPace({ isBusy: () => isBusy, now, perSecond: 100 })
  const leave = pace.pass(() => { gone.push('first') })

  leave()
  isBusy = false
  pace.pass(() => { gone.push('second') })

  t.strictSame(gone, ['second'])
})
