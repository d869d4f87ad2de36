import t from 'tap'
import { OwnedMap } from '../../lib/owned-map.ts'

const KEYS = ['a1', 'a2', 'b1', 'b2', 'c1']

/** The first character of a key is its owner. */
function fill (size: number, keys: readonly string[]): OwnedMap<string, string, string> {
  const map = new OwnedMap<string, string, string>(size)
  for (const key of keys) map.set(key, key[0] as string, `value of ${key}`)
  return map
}

function kept (map: OwnedMap<string, string, string>): string[] {
  return KEYS.filter((key) => map.get(key) === `value of ${key}`)
}

t.test('the oldest entry is forgotten when it is full', async (t) => {
  t.strictSame(kept(fill(5, KEYS)), KEYS)
  t.strictSame(kept(fill(2, KEYS)), ['b2', 'c1'])
})

t.test('an entry that is replaced is the newest one, and takes the room of no other', async (t) => {
  const map = fill(2, ['a1', 'a2', 'a1'])
  t.strictSame(kept(map), ['a1', 'a2'])

  map.set('b1', 'b', 'value of b1')

  t.strictSame(kept(map), ['a1', 'b1'])
})

t.test('the entries of one owner are forgotten, and no others', async (t) => {
  const map = fill(5, KEYS)

  map.deleteOf('a')
  map.deleteOf('nobody')

  t.strictSame(kept(map), ['b1', 'b2', 'c1'])
})

t.test('an entry that has another owner now is forgotten with that one', async (t) => {
  const map = fill(5, ['a1'])

  map.set('a1', 'b', 'value of a1')
  map.deleteOf('a')
  t.strictSame(kept(map), ['a1'])
  map.deleteOf('b')

  t.strictSame(kept(map), [])
})

t.test('nothing is kept of an owner who has no entry any more', async (t) => {
  const map = fill(1, KEYS)
  t.equal(map.owners, 1)

  map.deleteOf('c')

  t.equal(map.owners, 0)
})

t.test('a map that was cleared has nothing', async (t) => {
  const map = fill(5, KEYS)

  map.clear()

  t.strictSame(kept(map), [])
  t.equal(map.owners, 0)
})
