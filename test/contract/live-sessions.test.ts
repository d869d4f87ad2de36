import t, { type Test } from 'tap'
import { COUNT_EVERY_MS, createLiveSessions, SLICE } from '../../plugins/data/live-sessions.ts'
import { engines, type Engine } from './engines.ts'
import { START } from './repositories.ts'

const LIVE = { revoked_at: null as number | null, expires_at: START + 1, idle_expires_at: START + 1 }
const ADA = { id: 'ada', username: 'ada', email: null, email_key: null, email_verified_at: null, full_name: null, password_hash: null, password_version: 0, disabled_at: null, demo_at: null, created_at: START, updated_at: START, last_login_at: null }

async function openCounter (t: Test, engine: Engine) {
  const database = await engine.open(t)
  const { db, close } = database
  t.teardown(close)
  await db.insertInto('users').values(ADA).execute()
  const clock = { at: START, now: () => clock.at }

  async function insert (prefix: string, sessions: Array<Partial<typeof LIVE>>): Promise<void> {
    const rows = sessions.map((changes, number) => ({
      id: `${prefix}${String(number).padStart(6, '0')}`, user_id: ADA.id, client_id: 'first-party', scope: 'profile', generation: 0, created_at: START, last_used_at: START, rotated_at: null, ip: null, user_agent: null, ...LIVE, ...changes
    }))
    for (let begin = 0; begin < rows.length; begin += 500) await db.insertInto('sessions').values(rows.slice(begin, begin + 500)).execute()
  }

  return { database, clock, insert, liveSessions: createLiveSessions(database, clock) }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Sessions count until they are revoked or expire', async (t) => {
      const { insert, liveSessions } = await openCounter(t, engine)
      await insert('a', [{}, {}, { revoked_at: START - 1 }, { expires_at: START }, { idle_expires_at: START }, {}])

      t.equal(await liveSessions.count(), 3)
    })

    t.test('Without any the count is zero', async (t) => {
      const { liveSessions } = await openCounter(t, engine)

      t.equal(await liveSessions.count(), 0)
    })

    t.test('Others have their turn after each slice, and none is left out', async (t) => {
      const { insert, liveSessions } = await openCounter(t, engine)
      await insert('b', Array(2 * SLICE + 1).fill({}))
      let turns = 0
      let isCounting = true
      const others = (): void => {
        turns++
        if (isCounting) setImmediate(others)
      }

      setImmediate(others)
      const count = await liveSessions.count()
      isCounting = false

      t.equal(count, 2 * SLICE + 1)
      t.ok(turns >= 3)
    })

    t.test('A count is good for a minute, and whoever asks meanwhile shares it', async (t) => {
      const { clock, insert, liveSessions } = await openCounter(t, engine)

      const both = await Promise.all([liveSessions.count(), liveSessions.count()])
      await insert('c', [{ expires_at: START + 2 * COUNT_EVERY_MS, idle_expires_at: START + 2 * COUNT_EVERY_MS }])
      clock.at += COUNT_EVERY_MS - 1
      const remembered = await liveSessions.count()
      clock.at += 1
      const anew = await liveSessions.count()

      t.strictSame(both, [0, 0])
      t.equal(remembered, 0)
      t.equal(anew, 1)
    })

    t.test('A count that failed is not kept', async (t) => {
      const { database, clock } = await openCounter(t, engine)
      let isAway = true
      const liveSessions = createLiveSessions({
        db: database.db,
        prepareRead: (query) => {
          const read = database.prepareRead(query)
          return (values) => {
            if (isAway) throw new Error('away')
            return read(values)
          }
        }
      }, clock)

      await t.rejects(liveSessions.count(), { message: 'away' })
      isAway = false

      t.equal(await liveSessions.count(), 0)
    })
  })
}
