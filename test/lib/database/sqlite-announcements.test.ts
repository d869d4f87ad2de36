import t from 'tap'
import { createSqliteAnnouncements } from '../../../lib/database/sqlite-announcements.ts'

const FAULT = new Error('the disk is gone')

/** A log of changes, in which each act of the test is a commit of its own. */
function openLog () {
  const log = new Map<number, string | null>()
  const state = { version: 1, reads: 0, isBroken: false }
  const heard: Array<string | undefined> = []

  function read (id?: number): unknown {
    if (id === undefined) return { newest: log.size === 0 ? null : Math.max(...log.keys()) }
    return log.has(id) ? { user_id: log.get(id) } : undefined
  }

  const announcements = createSqliteAnnouncements({
    version: () => state.version,
    first: <Row>(_sql: string, [id]: readonly unknown[]) => {
      state.reads++
      if (state.isBroken) throw FAULT
      return read(id as number | undefined) as Row
    }
  })
  announcements.subscribe((userId) => { heard.push(userId) })

  return {
    state,
    commit (changes: Record<number, string | null>) {
      state.version++
      for (const [id, user] of Object.entries(changes)) log.set(Number(id), user)
    },
    remove (id: number) {
      state.version++
      log.delete(id)
    },
    hear () {
      announcements.isHeard()
      return heard.splice(0)
    }
  }
}

t.test('Each change is told of once, with its user', async (t) => {
  const { commit, hear } = openLog()

  commit({ 1: 'ada', 2: 'ben' })
  t.strictSame(hear(), ['ada', 'ben'])
  commit({ 3: 'ada' })
  t.strictSame(hear(), ['ada'])
})

t.test('Nothing is looked at while nobody commits, and nobody is told when nothing was written down', async (t) => {
  const { commit, hear, state } = openLog()

  t.strictSame(hear(), [])
  t.strictSame(hear(), [])
  t.equal(state.reads, 1)

  commit({})
  t.strictSame(hear(), [])
  t.equal(state.reads, 2)
})

t.test('A change that concerns everybody is told as that', async (t) => {
  const { commit, hear } = openLog()

  commit({ 1: null })

  t.strictSame(hear(), [undefined])
})

t.test('What can not be told one by one is told as a change that concerns everybody', async (t) => {
  const { commit, remove, hear } = openLog()

  commit({ 100: 'ada', 101: 'ben' })
  t.strictSame(hear(), [undefined], 'more than a hundred')
  commit({ 103: 'ada' })
  t.strictSame(hear(), [undefined, 'ada'], 'one is missing')
  commit({ 203: 'ben' })
  t.equal(hear().length, 100, 'a hundred')
  remove(203)
  t.strictSame(hear(), [undefined], 'they became fewer')
})

t.test('A log that can not be read is told, and what is in it later', async (t) => {
  const { commit, hear, state } = openLog()
  hear()

  state.isBroken = true
  commit({ 1: 'ada' })
  t.throws(hear, FAULT)
  t.throws(hear, FAULT)

  state.isBroken = false
  t.strictSame(hear(), ['ada'])
})
