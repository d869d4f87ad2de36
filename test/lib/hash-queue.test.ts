import t from 'tap'
import { createHashQueue } from '../../lib/hash-queue.ts'
import { createBench, refusalOf, SOMEBODY } from './hash-queue-bench.ts'

t.test('the result of a job is its caller\'s', async (t) => {
  const { queue } = createBench()

  t.equal(await queue.run(async () => 'hash', SOMEBODY), 'hash')
})

for (const concurrency of [1, 2, 5]) {
  t.test(`of twenty jobs never more than ${concurrency} run at a time, in the order in which they came`, async (t) => {
    const queue = createHashQueue({ concurrency, maxWaitMs: 60_000, now: () => 0 })
    const started: number[] = []
    const seen: number[] = []
    let running = 0

    const results = await Promise.all(Array.from({ length: 20 }, async (_, index) => await queue.run(async () => {
      started.push(index)
      seen.push(++running)
      for (let turn = 0; turn < index % 4; turn++) await new Promise(setImmediate)
      running--
      return index
    }, SOMEBODY)))

    const order = Array.from({ length: 20 }, (_, index) => index)
    t.equal(Math.max(...seen), concurrency)
    t.strictSame(started, order)
    t.strictSame(results, order)
    t.equal(queue.waiting, 0)
  })
}

t.test('a job starts at once while a slot is free, and then when one becomes free', async (t) => {
  const { queue, started, ask, end } = createBench({ concurrency: 2 })

  const asked = [ask(), ask(), ask(), ask()]
  t.strictSame(started, [0, 1])
  t.equal(queue.waiting, 2)

  end(1)
  await asked[1]
  t.strictSame(started, [0, 1, 2])
  t.equal(queue.waiting, 1)

  for (const number of [0, 2, 3]) end(number)
  t.strictSame(await Promise.all(asked), [0, 1, 2, 3])
  t.equal(queue.waiting, 0)
})

t.test('the next job starts before the caller of the finished one goes on', async (t) => {
  const { queue } = createBench()
  const events: string[] = []
  const first = Promise.withResolvers<undefined>()

  const callers = [
    queue.run(async () => { await first.promise }, SOMEBODY).then(() => { events.push('first caller goes on') }),
    queue.run(async () => { events.push('second job starts') }, SOMEBODY).then(() => { events.push('second caller goes on') })
  ]
  first.resolve(undefined)
  await Promise.all(callers)

  t.strictSame(events, ['second job starts', 'first caller goes on', 'second caller goes on'])
})

t.test('while all slots are used again, callers wait for each other, and go on together in the order in which their jobs ended', async (t) => {
  const { queue, started, ask, end } = createBench({ concurrency: 2 })
  const wentOn: number[] = []
  const asked = Array.from({ length: 5 }, async () => {
    const number = await ask()
    wentOn.push(number)
  })

  end(1)
  await new Promise(setImmediate)
  t.strictSame([started, queue.waiting, wentOn], [[0, 1, 2], 2, []])

  end(0)
  await new Promise(setImmediate)
  t.strictSame([started, queue.waiting, wentOn], [[0, 1, 2, 3], 1, [1, 0]])

  for (const number of [2, 3, 4]) end(number)
  await Promise.all(asked)
})

t.test('a caller goes on also when no other job ends', async (t) => {
  const { ask, end } = createBench()
  const asked = [ask(), ask(), ask()]

  end(0)
  t.equal(await asked[0], 0)

  for (const number of [1, 2]) end(number)
  await Promise.all(asked)
})

t.test('a job that fails gives its error to its caller and its slot to the next job', async (t) => {
  const { queue, started, ask, end, fail } = createBench()
  const failure = new Error('out of memory')

  const asked = [ask(), ask()]
  fail(0, failure)
  await t.rejects(asked[0] as Promise<number>, failure)

  t.strictSame(started, [0, 1])
  end(1)
  t.equal(await asked[1], 1)
  t.equal(queue.waiting, 0)
})

t.test('so does a job that throws before it begins to wait, first in line or not', async (t) => {
  const { queue, started, ask, end } = createBench()
  const throwing = (): Promise<never> => { throw new TypeError('no password') }

  await t.rejects(queue.run(throwing, SOMEBODY), new TypeError('no password'))
  const running = ask()
  const waiting = queue.run(throwing, SOMEBODY)
  const next = ask()
  end(0)

  t.equal(await running, 0)
  await t.rejects(waiting, new TypeError('no password'))
  end(1)
  t.equal(await next, 1)
  t.strictSame(started, [0, 1])
})

t.test('who would wait too long is refused', async (t) => {
  t.test('at once and without any work', async (t) => {
    const { queue, started, ask, end, measure } = createBench({ maxWaitMs: 200 })
    await measure(100)
    const asked = [ask(), ask(), ask()]
    let settled = false

    const refused = ask()
    refused.catch(() => { settled = true })
    await new Promise(setImmediate)

    t.equal(settled, true, 'though nothing has ended yet')
    await t.rejects(refused, { name: 'UnavailableError' })
    t.strictSame(started, [0])
    t.equal(queue.waiting, 2)

    for (const number of [0, 1, 2]) end(number)
    await Promise.all(asked)
    t.strictSame(started, [0, 1, 2], 'nor is it done later')
  })

  t.test('with 503, temporarily_unavailable and the expected wait in Retry-After', async (t) => {
    const { queue, ask, measure } = createBench({ maxWaitMs: 2000 })
    await measure(2100)
    ask().catch(() => {})

    const error = await refusalOf(queue)

    t.equal(error.statusCode, 503)
    t.equal(error.code, 'temporarily_unavailable')
    t.strictSame(error.headers, { 'retry-after': '3' })
    t.equal(error.message, 'Too many log-ins at a time; try again later')
  })

  const limits = [
    { concurrency: 1, tookMs: 100, maxWaitMs: 1000, room: 10, retryAfter: '2' },
    { concurrency: 1, tookMs: 100, maxWaitMs: 99, room: 0, retryAfter: '1' },
    { concurrency: 1, tookMs: 100, maxWaitMs: 100, room: 1, retryAfter: '1' },
    { concurrency: 2, tookMs: 100, maxWaitMs: 1000, room: 20, retryAfter: '2' },
    { concurrency: 4, tookMs: 300, maxWaitMs: 1000, room: 12, retryAfter: '2' },
    { concurrency: 2, tookMs: 100, maxWaitMs: 0, room: 0, retryAfter: '1' }
  ]
  for (const { concurrency, tookMs, maxWaitMs, room, retryAfter } of limits) {
    t.test(`after ${room} waiting, with ${concurrency} at a time of ${tookMs} ms each and ${maxWaitMs} ms of patience`, async (t) => {
      const { queue, ask, measure } = createBench({ concurrency, maxWaitMs })
      await measure(tookMs)

      for (let asked = 0; asked < concurrency + room; asked++) ask().catch(() => {})

      t.equal(queue.waiting, room)
      t.strictSame((await refusalOf(queue)).headers, { 'retry-after': retryAfter })
      t.equal(queue.waiting, room)
    })
  }

  t.test('and taken again when the queue is shorter', async (t) => {
    const { queue, ask, end, measure } = createBench({ maxWaitMs: 100 })
    await measure(100)
    const asked = [ask(), ask()]
    await refusalOf(queue)

    end(0)
    await asked[0]
    const taken = ask()
    end(1)
    end(2)

    t.equal(await taken, 2)
  })
})
