import fc from 'fast-check'
import t from 'tap'
import { createWaitingLines, type Waiting, type WaitingLines } from '../../lib/waiting-lines.ts'

const LONGEST = 20

const somebody = (network: string, isKnown: boolean): Waiting => ({ network, isKnown, start: () => {} })

/** As many of them enter as find a place; resolves to how many did. */
function fill (lines: WaitingLines, isKnown: boolean, most = 100): number {
  let entered = 0
  while (entered < most && lines.hasPlace({ network: `network ${lines.size}`, isKnown }, LONGEST)) {
    lines.enter(somebody(`network ${lines.size}`, isKnown))
    entered++
  }
  return entered
}

function drain (lines: WaitingLines): string {
  let order = ''
  for (let next = lines.next(); next !== undefined; next = lines.next()) order += next.isKnown ? 'k' : 's'
  return order
}

function inTurn (arrivals: string): string {
  const lines = createWaitingLines()
  for (const kind of arrivals) lines.enter(somebody('network', kind === 'k'))
  return drain(lines)
}

t.test('strangers take turns with those known who came later, and wait for those who came earlier', async (t) => {
  t.equal(inTurn('ssss'), 'ssss')
  t.equal(inTurn('sssskk'), 'ksksss')
  t.equal(inTurn('sskkkk'), 'kskskk')
  t.equal(inTurn('kkss'), 'kkss')
  t.equal(inTurn('ksksk'), 'kksks')
})

t.test('each line is served in its order', async (t) => {
  const lines = createWaitingLines()
  const entries = Array.from({ length: 6 }, (_, number) => somebody(`network ${number}`, number % 2 === 0))
  for (const entry of entries) lines.enter(entry)

  const served = entries.map(() => lines.next() as Waiting)

  for (const isKnown of [true, false]) t.strictSame(served.filter((entry) => entry.isKnown === isKnown), entries.filter((entry) => entry.isKnown === isKnown))
})

t.test('one who comes to a flood of strangers is next, also when they have become too many for the pace', async (t) => {
  const lines = createWaitingLines()
  t.equal(fill(lines, false), LONGEST / 2)
  const owner = somebody('home', true)

  t.equal(lines.hasPlace(owner, 2), true)
  lines.enter(owner)

  t.equal(lines.next(), owner)
})

t.test('strangers have half of the places, and those who are known all but what strangers may take before them', async (t) => {
  for (const [known, strangers, more] of [[0, 10, 10], [4, 6, 10], [10, 0, 10], [20, 0, 0]] as const) {
    const lines = createWaitingLines()
    t.equal(fill(lines, true, known), known)
    t.equal(fill(lines, false), strangers, `strangers beside ${known}`)
    t.equal(fill(lines, true), more, `more beside ${known}`)
  }
})

t.test('nobody is served later than after as many turns as are the longest wait, whoever comes and goes', async (t) => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ network: fc.nat(30).map(String), isKnown: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant('serve' as const) },
    { weight: 1, arbitrary: fc.constant('hang up' as const) }
  )
  fc.assert(fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
    const lines = createWaitingLines()
    const enteredAt = new Map<Waiting, number>()
    let turns = 0

    const serve = (): boolean => {
      const next = lines.next()
      if (next === undefined) return false
      const waited = turns++ - (enteredAt.get(next) as number)
      enteredAt.delete(next)
      if (waited >= LONGEST) throw new Error(`somebody waited for ${waited} turns`)
      return true
    }
    const hangUp = (): void => {
      const [gone] = enteredAt.keys()
      if (gone === undefined) return
      enteredAt.delete(gone)
      lines.leave(gone)
    }

    for (const caller of steps) {
      if (caller === 'serve') serve()
      else if (caller === 'hang up') hangUp()
      else if (lines.hasPlace(caller, LONGEST)) {
        const entry = somebody(caller.network, caller.isKnown)
        lines.enter(entry)
        enteredAt.set(entry, turns)
      }
    }
    while (serve());
    return lines.size === 0 && enteredAt.size === 0
  }), { numRuns: 500 })
})
