import t from 'tap'
import { createInFlight as createWith, OWED_MS, type InFlight } from '../../../lib/throttle/in-flight.ts'

const FREE = 5

const createInFlight = (clock = { at: 0 }): InFlight => createWith({ now: () => clock.at })

/** Whether somebody who begins now finds room. */
function findsRoom (inFlight: InFlight, failures: number, key = 'key'): boolean {
  const attempt = inFlight.begin([key])
  const hasRoom = attempt.hasRoom(key, failures, FREE)
  attempt.end()
  return hasRoom
}

/** How many may begin at once after so many failures, of a thousand who want to. */
function roomAfter (failures: number): number {
  const inFlight = createInFlight()
  const attempts = Array.from({ length: 1000 }, () => inFlight.begin(['key']))
  return attempts.filter((attempt) => attempt.hasRoom('key', failures, FREE)).length
}

t.test('as many may begin as are free still, after that one at a time, and where nothing failed all who want to', async (t) => {
  t.strictSame([0, 1, 3, 4, 5, 6, 1000].map(roomAfter), [1000, 4, 2, 1, 1, 1, 1])
})

t.test('who is done makes room', async (t) => {
  const inFlight = createInFlight()
  const attempt = inFlight.begin(['key'])
  t.equal(findsRoom(inFlight, 4), false)

  attempt.end()

  t.equal(findsRoom(inFlight, 4), true)
})

t.test('who ends while the failures are read is counted still, since they may be without his', async (t) => {
  const inFlight = createInFlight()
  const first = inFlight.begin(['key'])
  const second = inFlight.begin(['key'])
  first.fail()
  first.end()

  t.equal(second.hasRoom('key', 4, FREE), false)
})

t.test('a failure that is not counted yet counts', async (t) => {
  const inFlight = createInFlight()
  for (let count = 0; count < FREE - 1; count++) inFlight.begin(['key']).fail()
  t.equal(findsRoom(inFlight, 0), true, 'the fifth')

  const last = inFlight.begin(['key'])

  t.equal(findsRoom(inFlight, 0), false, 'the sixth, while the fifth runs')
  last.fail()
  t.equal(findsRoom(inFlight, 0), false, 'the sixth, after the fifth has failed')
})

t.test('failures that are counted and those that are not yet do not cancel each other', async (t) => {
  const inFlight = createInFlight()
  for (let count = 0; count < 2; count++) inFlight.begin(['key']).fail()
  const running = [inFlight.begin(['key'])]
  t.equal(running[0]?.hasRoom('key', 2, FREE), true, 'the fifth')

  t.equal(findsRoom(inFlight, 2), false, 'the sixth')
})

t.test('past what is free nobody begins before the failure that came before is counted', async (t) => {
  const inFlight = createInFlight()
  const attempt = inFlight.begin(['key'])
  attempt.fail()
  t.equal(findsRoom(inFlight, FREE), false)

  attempt.counted()
  attempt.end()

  t.equal(findsRoom(inFlight, FREE), true)
})

t.test('an attempt is about all its counters but those that it leaves', async (t) => {
  const inFlight = createInFlight()
  const attempt = inFlight.begin(['name', 'user', 'network'])
  const roomAt = (): boolean[] => ['name', 'user', 'network', 'other'].map((key) => findsRoom(inFlight, 4, key))
  t.strictSame(roomAt(), [false, false, false, true])

  attempt.leave(['user'])
  t.strictSame(roomAt(), [false, true, false, true])
  attempt.fail()
  t.strictSame(roomAt(), [false, true, false, true])
  attempt.counted()
  attempt.end()
  t.strictSame(roomAt(), [true, true, true, true])
})

t.test('failures are told when they are counted, and neither before nor for who did not fail', async (t) => {
  const inFlight = createInFlight()
  const [right, wrong] = [inFlight.begin(['key']), inFlight.begin(['key'])]

  right.end()
  wrong.fail()
  t.equal(inFlight.failures, 0)

  wrong.counted()
  wrong.end()
  t.equal(inFlight.failures, 1)
})

for (const later of [OWED_MS, -OWED_MS]) {
  t.test(`a failure that could not be counted keeps its place until ${later} ms later, at the counters that it is about`, async (t) => {
    const clock = { at: 0 }
    const inFlight = createInFlight(clock)
    const attempt = inFlight.begin(['key', 'other'])
    attempt.leave(['other'])
    attempt.fail()
    attempt.end()
    attempt.end()

    clock.at += later - Math.sign(later)
    t.equal(findsRoom(inFlight, 4), false)
    t.equal(findsRoom(inFlight, 4, 'other'), true)
    clock.at += Math.sign(later)
    t.equal(findsRoom(inFlight, 4), true)
    t.equal(inFlight.size, 0)
  })
}

t.test('failures that could not be counted are forgotten one after the other', async (t) => {
  const clock = { at: 0 }
  const inFlight = createInFlight(clock)
  const failures = Array.from({ length: 3 }, () => inFlight.begin(['key']))
  for (const failure of failures) {
    failure.fail()
    failure.end()
    clock.at++
  }

  const room = []
  for (clock.at = OWED_MS - 1; clock.at < OWED_MS + 3; clock.at++) room.push(findsRoom(inFlight, 4), findsRoom(inFlight, 2))

  t.strictSame(room, [false, false, false, true, false, true, true, true])
})

t.test('nothing is kept of what is over', async (t) => {
  const inFlight = createInFlight()
  const attempts = Array.from({ length: 1000 }, (_, index) => inFlight.begin([`key ${index}`, 'network']))
  t.equal(inFlight.size, 1001)

  for (const attempt of attempts.slice(500)) {
    attempt.fail()
    attempt.counted()
  }
  for (const attempt of attempts) attempt.end()
  for (const attempt of attempts) attempt.end()

  t.equal(inFlight.size, 0)
})
