import { mock } from 'node:test'
import t from 'tap'
import { createPace } from '../../lib/pace.ts'

const { timers } = mock
timers.enable({ apis: ['setTimeout'] })

const MEASURED_EVERY_MS = 250

interface Situation {
  busyShare?: number
  random?: number
}

/** A pace whose clock is set by hand. */
function createSituation ({ busyShare = 1, random = 0.5 }: Situation = {}) {
  const situation = { busyShare, random }
  let at = 0
  const pace = createPace({ busyShare: () => situation.busyShare, now: () => at, random: () => situation.random })
  const gone: string[] = []
  const pass = (name: string): () => void => pace.pass(() => { gone.push(name) })
  return {
    situation,
    pace,
    pass,
    gone,
    advance (ms: number): void {
      at += ms
      timers.tick(ms)
    },
    /** How long somebody would wait who came now. */
    delayNow (): number {
      const before = gone.length
      const leave = pass('probe')
      let waited = 0
      for (; gone.length === before && waited <= 10_000; waited++) timers.tick(1)
      leave()
      gone.splice(before)
      return waited
    },
    stayBusy (windows: number): void {
      for (let window = 0; window < windows; window++) {
        at += MEASURED_EVERY_MS
        pass('load')()
      }
    }
  }
}

t.test('without hurry those leave together who came within ten milliseconds', async (t) => {
  const { pass, gone, advance } = createSituation({ busyShare: 0.64 })
  advance(MEASURED_EVERY_MS + 1)
  pass('first')
  advance(8)
  pass('second')
  t.strictSame(gone, [])

  advance(1)
  pass('third')
  t.strictSame(gone, ['first', 'second'])
  advance(1)
  pass('fourth')
  t.strictSame(gone, ['first', 'second', 'third'])
  advance(9)

  t.strictSame(gone, ['first', 'second', 'third', 'fourth'])
})

t.test('what was short is no hurry yet', async (t) => {
  const { pass, gone, advance } = createSituation()

  advance(MEASURED_EVERY_MS - 1)
  pass('first')
  advance(1)

  t.strictSame(gone, ['first'])
})

t.test('in a hurry each waits for a while of its own', async (t) => {
  const { situation, pass, gone, advance } = createSituation()
  advance(MEASURED_EVERY_MS)

  for (const [name, random] of [['late', 0.9], ['early', 0.1], ['middle', 0.5]] as const) {
    situation.random = random
    pass(name)
  }

  t.strictSame(gone, [])
  for (const [ms, expected] of [[9, []], [1, ['early']], [9, ['early']], [1, ['early', 'middle']], [19, ['early', 'middle']], [1, ['early', 'middle', 'late']]] as const) {
    advance(ms)
    t.strictSame(gone, expected)
  }
})

t.test('the longer the hurry the longer the wait, up to half a second on average', async (t) => {
  const { stayBusy, delayNow } = createSituation()

  const delays = [1, 1, 1, 4].map((windows) => {
    stayBusy(windows)
    return delayNow()
  })

  t.strictSame(delays, [20, 40, 80, 500])
})

t.test('after the hurry the wait halves every two seconds, and ends', async (t) => {
  const { situation, stayBusy, advance, delayNow } = createSituation()
  stayBusy(3)
  situation.busyShare = 0.5

  const delays = [2000, 2000, 2000, 1].map((ms) => {
    advance(ms)
    return delayNow()
  })

  t.strictSame(delays, [40, 20, 10, 10 + 9])
  advance(MEASURED_EVERY_MS)
  t.equal(delayNow(), 9)
})

t.test('a long rest ends it at once', async (t) => {
  const { situation, stayBusy, advance, delayNow } = createSituation()
  stayBusy(10)
  situation.busyShare = 0.1

  advance(60_001)

  t.equal(delayNow(), 9)
})

t.test('when it is stopped all go, and nobody waits any more', async (t) => {
  const { pace, pass, gone, advance } = createSituation()
  advance(MEASURED_EVERY_MS)
  pass('first')
  pass('second')

  pace.stop()
  pass('third')
  advance(10_000)

  t.strictSame(gone, ['first', 'second', 'third'])
})

t.test('who leaves does not go, and keeps nobody', async (t) => {
  const { pace, pass, gone, advance } = createSituation()
  advance(MEASURED_EVERY_MS)
  const leave = pass('first')
  pass('second')

  leave()
  leave()
  advance(20)
  pace.stop()

  t.strictSame(gone, ['second'])
})
