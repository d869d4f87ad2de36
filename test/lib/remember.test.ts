import t from 'tap'
import { remember } from '../../lib/remember.ts'

/** Remembers what `find` gives, which notes what it was asked for, as long as the test leaves the version as it is. */
function openMemory ({ size = 10, find = async (key: string): Promise<string | undefined> => `value of ${key}` } = {}) {
  const asked: string[] = []
  const state = { version: 1 }
  const get = remember(async (key) => {
    asked.push(key)
    return await find(key)
  }, () => state.version, size)
  return { get, asked, state }
}

t.test('what was found is not looked for again, and needs no promise', async (t) => {
  const { get, asked } = openMemory()

  const first = get('a')
  t.ok(first instanceof Promise)
  t.equal(await first, 'value of a')
  t.equal(get('a'), 'value of a')
  t.same(asked, ['a'])
})

t.test('each key has its own value', async (t) => {
  const { get, asked } = openMemory()

  await Promise.all([get('a'), get('b')])

  t.same([get('a'), get('b')], ['value of a', 'value of b'])
  t.same(asked, ['a', 'b'])
})

t.test('that there is nothing is not remembered', async (t) => {
  const answers = [undefined, 'new']
  const { get, asked } = openMemory({ find: async () => answers.shift() })

  t.equal(await get('a'), undefined)
  t.equal(await get('a'), 'new')
  t.equal(get('a'), 'new')
  t.same(asked, ['a', 'a'])
})

t.test('asking for what is not there makes nobody forget what is', async (t) => {
  const { get, asked } = openMemory({ size: 1, find: async (key) => key === 'a' ? 'found' : undefined })
  await get('a')

  await get('nothing')

  t.equal(get('a'), 'found')
  t.same(asked, ['a', 'nothing'])
})

t.test('a fault is not remembered', async (t) => {
  const faults = [new Error('the disk is gone')]
  const { get } = openMemory({
    find: async () => {
      const fault = faults.shift()
      if (fault !== undefined) throw fault
      return 'found'
    }
  })

  await t.rejects(async () => { await get('a') }, { message: 'the disk is gone' })
  t.equal(await get('a'), 'found')
})

t.test('with another version everything is forgotten, once', async (t) => {
  const { get, asked, state } = openMemory()
  await Promise.all([get('a'), get('b')])

  state.version = 2
  await Promise.all([get('a'), get('b')])

  t.same([get('a'), get('b')], ['value of a', 'value of b'])
  t.same(asked, ['a', 'b', 'a', 'b'])
})

t.test('a value that another version overtook while it was looked for is not kept', async (t) => {
  const overtakings = {
    'and nobody asked meanwhile': async () => {},
    'and somebody asked for it meanwhile, who found nothing': async (get: (key: string) => unknown) => { await get('a') },
    'and somebody asked for something else meanwhile': async (get: (key: string) => unknown) => { await get('b') }
  }
  for (const [name, overtake] of Object.entries(overtakings)) {
    t.test(name, async (t) => {
      const { promise: found, resolve: findOld } = Promise.withResolvers<string>()
      const answers: Array<Promise<string> | undefined> = [found]
      const { get, asked, state } = openMemory({ find: async () => await answers.shift() })

      const old = get('a')
      state.version = 2
      await overtake(get)
      findOld('old')

      t.equal(await old, 'old')
      asked.length = 0
      t.equal(await get('a'), undefined)
      t.same(asked, ['a'])
    })
  }
})

t.test('no more than so many are remembered, and the newest are', async (t) => {
  const { get, asked } = openMemory({ size: 2 })
  for (const key of ['a', 'b', 'c']) await get(key)
  asked.length = 0

  t.same([get('c'), get('b')], ['value of c', 'value of b'])
  await get('a')

  t.same(asked, ['a'])
})
