import t from 'tap'
import type { OnChange } from '../../lib/database/announcements.ts'
import { remember } from '../../lib/remember.ts'

const MAX_AGE = 1000

type FindText = (key: string) => Promise<string | undefined>

/** Remembers what `find` gives, whose owner is what follows its `of`; the test announces changes. */
function openMemory ({ size = 10, find = async (key) => `value of ${key}` }: { size?: number, find?: FindText } = {}) {
  const asked: string[] = []
  const state = { isHeard: true, now: 0 }
  const subscribers: OnChange[] = []
  const announcements = { isHeard: () => state.isHeard, subscribe: (onChange: OnChange) => { subscribers.push(onChange) } }
  const get = remember(async (key) => {
    asked.push(key)
    return await find(key)
  }, (value) => value.split('of ')[1], announcements, { size, maxAgeMs: MAX_AGE, now: () => state.now })
  return { get, asked, state, announce: (userId?: string) => { subscribers.forEach((onChange) => { onChange(userId) }) } }
}

t.test('what was found is not looked for again, and needs no promise', async (t) => {
  const { get, asked } = openMemory()

  t.equal(await get('a'), 'value of a')

  t.equal(get('a'), 'value of a')
  t.same(asked, ['a'])
})

t.test('that there is nothing is not remembered', async (t) => {
  const { get, asked } = openMemory({ find: async () => undefined })

  t.equal(await get('a'), undefined)
  t.equal(await get('a'), undefined)

  t.same(asked, ['a', 'a'])
})

t.test('a change makes forgotten what its user owns, and nothing else', async (t) => {
  const { get, asked, announce } = openMemory()
  await Promise.all([get('a'), get('b')])

  announce('a')

  t.equal(get('b'), 'value of b')
  t.ok(get('a') instanceof Promise)
  t.same(asked, ['a', 'b', 'a'])
})

t.test('a change that may concern anybody makes all forgotten', async (t) => {
  const { get, asked, announce } = openMemory()
  await Promise.all([get('a'), get('b')])

  announce()

  await Promise.all([get('a'), get('b')])
  t.same(asked, ['a', 'b', 'a', 'b'])
})

t.test('what nobody owns is forgotten with every change', async (t) => {
  const { get, asked, announce } = openMemory({ find: async () => 'value' })
  await get('a')

  announce('somebody')
  await get('a')

  t.same(asked, ['a', 'a'])
})

t.test('a value that a change overtook while it was looked for is not kept', async (t) => {
  const { promise: found, resolve: findOld } = Promise.withResolvers<string>()
  const answers = [found, Promise.resolve('new value of a')]
  const { get, asked, announce } = openMemory({ find: async () => await answers.shift() })

  const old = get('a')
  announce('a')
  findOld('old value of a')

  t.equal(await old, 'old value of a')
  t.equal(await get('a'), 'new value of a')
  t.equal(get('a'), 'new value of a')
  t.same(asked, ['a', 'a'])
})

t.test('while changes are not heard nothing is remembered and nothing is believed', async (t) => {
  const { get, asked, state } = openMemory()
  await get('a')

  state.isHeard = false
  await get('a')
  await get('b')
  state.isHeard = true

  t.equal(get('a'), 'value of a')
  await get('b')
  t.same(asked, ['a', 'a', 'b', 'b'])
})

t.test('what is remembered is looked for again when it is too old', async (t) => {
  const { promise: found, resolve } = Promise.withResolvers<string>()
  const answers = [found]
  const { get, asked, state } = openMemory({ find: async (key) => await answers.shift() ?? `value of ${key}` })

  const first = get('a')
  state.now = 10
  resolve('value of a')
  await first

  state.now = MAX_AGE - 1
  t.equal(get('a'), 'value of a')
  state.now = MAX_AGE
  t.ok(get('a') instanceof Promise, 'it is as old as the question')
  t.same(asked, ['a', 'a'])
})

t.test('no more than so many are remembered, and the newest are', async (t) => {
  const { get, asked } = openMemory({ size: 2 })

  for (const key of ['a', 'b', 'c']) await get(key)

  t.same([get('c'), get('b')], ['value of c', 'value of b'])
  await get('a')
  t.same(asked, ['a', 'b', 'c', 'a'])
})
