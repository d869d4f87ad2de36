import t from 'tap'
import { createBench, refusalOf, SOMEBODY } from './hash-queue-bench.ts'

const PLACES = { maxWaitMs: 2000, tookMs: 100, count: 20 }
const STRANGER = { network: '198.51.100.7', isKnown: false }

/** A queue with twenty places whose only slot is taken. */
async function createBusyQueue (): Promise<ReturnType<typeof createBench>> {
  const bench = createBench(PLACES)
  await bench.measure(PLACES.tookMs)
  bench.ask().catch(() => {})
  return bench
}

for (const { networks, isKnown, each } of [
  { networks: 1, isKnown: true, each: 10 },
  { networks: 2, isKnown: true, each: 7 },
  { networks: 1, isKnown: false, each: 5 },
  { networks: 4, isKnown: false, each: 2 }
]) {
  t.test(`Of ${PLACES.count} places ${networks} ${isKnown ? 'known' : 'unknown'} networks take ${each} each`, async (t) => {
    const { queue, ask } = await createBusyQueue()
    const names = Array.from({ length: networks }, (_, number) => `network ${number}`)
    const refused = new Map(names.map((network) => [network, 0]))

    for (let round = 0; round < PLACES.count; round++) {
      for (const network of names) ask({ network, isKnown }).catch(() => { refused.set(network, (refused.get(network) ?? 0) + 1) })
    }
    await new Promise(setImmediate)

    t.equal(queue.waiting, networks * each)
    t.strictSame([...refused.values()], Array(networks).fill(PLACES.count - each))
  })
}

t.test('A flood from everywhere leaves half of the places to those whose network is known', async (t) => {
  const { queue, ask } = await createBusyQueue()

  for (let number = 0; number < 100; number++) ask({ network: `flood ${number}`, isKnown: false }).catch(() => {})
  t.equal(queue.waiting, 10)
  for (let number = 0; number < 100; number++) ask({ network: `home ${number}`, isKnown: true }).catch(() => {})

  t.equal(queue.waiting, 20)
})

t.test('Who is refused for the share of the network is told to come again', async (t) => {
  const { queue, ask } = await createBusyQueue()
  for (let number = 0; number < 10; number++) ask(STRANGER).catch(() => {})

  const error = await refusalOf(queue, STRANGER)

  t.equal(error.statusCode, 503)
  t.strictSame(error.headers, { 'retry-after': '1' })
})

t.test('Where nobody of a network finds a place, that shows before any work', async (t) => {
  const { queue, ask } = await createBusyQueue()
  const home = { network: STRANGER.network, isKnown: true }

  for (let number = 0; number < 9; number++) ask(home).catch(() => {})
  t.doesNotThrow(() => { queue.requireRoom(home.network) })
  ask(home).catch(() => {})

  t.throws(() => { queue.requireRoom(home.network) }, { name: 'UnavailableError' })
  t.doesNotThrow(() => { queue.requireRoom('203.0.113.1') }, 'another network has its share')
})

for (const { others, places } of [{ others: 1, places: 10 }, { others: 2, places: 9 }]) {
  for (const left of [1, places - 1, places]) {
    t.test(`A network of whose ${places} jobs ${left} ${left === 1 ? 'has' : 'have'} started has so many places back, and no more`, async (t) => {
      const { queue, ask, end, advance } = await createBusyQueue()
      const home = { network: STRANGER.network, isKnown: true }
      for (let number = 0; number < places; number++) ask(home).catch(() => {})
      for (let number = 0; number < others; number++) ask({ network: 'elsewhere', isKnown: true }).catch(() => {})
      await refusalOf(queue, home)

      for (let number = 0; number < left; number++) {
        advance(PLACES.tookMs)
        end(number)
        await new Promise(setImmediate)
      }
      t.equal(queue.waiting, others + places - left)
      for (let number = 0; number < PLACES.count; number++) ask(home).catch(() => {})

      t.equal(queue.waiting, others + places)
    })
  }
}

t.test('Who hangs up', async (t) => {
  t.test('gives the place back at once, and the job is not done', async (t) => {
    const { queue, started, ask, end } = await createBusyQueue()
    const { signal, abort } = createSignal()
    const gone = ask({ ...STRANGER, signal })
    const next = ask(STRANGER)

    abort()

    await t.rejects(gone, { statusCode: 499, code: 'client_closed_request' })
    t.equal(queue.waiting, 1)
    end(0)
    end(2)
    t.equal(await next, 2)
    t.strictSame(started, [0, 2])
    for (let number = 3; number <= 8; number++) ask(STRANGER).catch(() => {})
    t.equal(queue.waiting, 5, 'all places of the network are free again')
  })

  t.test('after the start changes nothing', async (t) => {
    const { queue, ask, end } = await createBusyQueue()
    const { signal, abort } = createSignal()
    const started = ask({ ...STRANGER, signal })
    end(0)
    await new Promise(setImmediate)

    abort()
    end(1)

    t.equal(await started, 1)
    t.equal(queue.waiting, 0)
  })

  t.test('before there was a place gets none, not even a free slot', async (t) => {
    const { queue } = createBench()
    const { signal, abort } = createSignal()
    abort()

    await t.rejects(queue.run(async () => { t.fail('the job was run') }, { ...SOMEBODY, signal }), { code: 'client_closed_request' })
  })
})

t.test('What the caller does at the beginning is done in the slot, before the job', async (t) => {
  const { started, ask, end } = await createBusyQueue()
  const events: string[] = []
  const waiting = ask({ begin: async () => { events.push(`begins after ${started.join()}`) } })
  await new Promise(setImmediate)
  t.strictSame(events, [])

  end(0)
  end(1)

  t.equal(await waiting, 1)
  t.strictSame(events, ['begins after 0'])
})

t.test('A caller who is turned away at the beginning gives the slot to the next, and does not count in the measure', async (t) => {
  const { queue, started, ask, end, advance } = await createBusyQueue()
  const refusal = new Error('too many failures')
  const refused = Array.from({ length: 10 }, async () => { await t.rejects(ask({ begin: () => { throw refusal } }), refusal) })
  const next = ask()

  advance(PLACES.tookMs)
  end(0)
  await Promise.all(refused)
  await new Promise(setImmediate)

  t.strictSame(started, [0, 11])
  for (let number = 0; number < 30; number++) ask({ network: `home ${number}` }).catch(() => {})
  t.equal(queue.waiting, 20)
  end(11)
  t.equal(await next, 11)
})

t.test('A caller who is turned away at the beginning does not wait for those who have results', async (t) => {
  const { queue, ask, end } = createBench()
  const refusal = new Error('too many failures')
  const asked = [ask(), ask({ begin: () => { throw refusal } }), ask(), ask()]

  end(0)
  await t.rejects(asked[1] as Promise<number>, refusal)

  t.equal(await Promise.race([asked[0], 'still waits']), 'still waits')
  t.equal(queue.waiting, 1)
  for (const number of [2, 3]) end(number)
  t.strictSame(await Promise.all([asked[0], asked[2], asked[3]]), [0, 2, 3])
})

function createSignal (): { signal: AbortSignal, abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => { controller.abort() } }
}
