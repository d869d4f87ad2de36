import t from 'tap'
import { BoundedMap } from '../../lib/bounded-map.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e']

function fill (size: number, keys: readonly string[]): BoundedMap<string, string> {
  const map = new BoundedMap<string, string>(size)
  for (const key of keys) map.set(key, `value of ${key}`)
  return map
}

function kept (map: BoundedMap<string, string>): string[] {
  return KEYS.filter((key) => map.get(key) !== undefined)
}

t.test('an entry is found under its key, another key has none', async (t) => {
  const map = fill(3, ['a'])

  t.equal(map.get('a'), 'value of a')
  t.equal(map.get('b'), undefined)
})

t.test('nothing is forgotten until the map is full', async (t) => {
  t.strictSame(kept(fill(3, ['a', 'b', 'c'])), ['a', 'b', 'c'])
})

t.test('the oldest entries are forgotten when it is full', async (t) => {
  t.strictSame(kept(fill(3, ['a', 'b', 'c', 'd'])), ['b', 'c', 'd'])
  t.strictSame(kept(fill(1, KEYS)), ['e'])
})

t.test('looking an entry up does not make it younger', async (t) => {
  const map = fill(2, ['a', 'b'])

  map.get('a')
  map.set('c', 'value of c')

  t.strictSame(kept(map), ['b', 'c'])
})

t.test('replacing a value in a full map forgets no other entry', async (t) => {
  const map = fill(2, ['a', 'b'])

  map.set('b', 'another')

  t.equal(map.get('a'), 'value of a')
  t.equal(map.get('b'), 'another')
})

t.test('a map that was cleared has no entry and room for as many as before', async (t) => {
  const map = fill(2, ['a', 'b'])

  map.clear()

  t.strictSame(kept(map), [])
  map.set('c', 'value of c')
  map.set('d', 'value of d')
  t.strictSame(kept(map), ['c', 'd'])
})

t.test('a key that is undefined or an object is a key like any other', async (t) => {
  const object = {}
  const map = new BoundedMap<unknown, number>(2)

  map.set(undefined, 1)
  map.set(object, 2)

  t.equal(map.get(undefined), 1)
  t.equal(map.get(object), 2)
  t.equal(map.get({}), undefined)
})

t.test('however many entries are set, no more than the size stay', async (t) => {
  const map = new BoundedMap<number, number>(100)

  for (let key = 0; key < 10_000; key++) map.set(key, key)

  const left = Array.from({ length: 10_000 }, (_, key) => key).filter((key) => map.get(key) !== undefined)
  t.strictSame(left, Array.from({ length: 100 }, (_, index) => 9900 + index))
})
