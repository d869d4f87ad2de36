import t, { type Test } from 'tap'
import { createAuditLog, type AuditFilter } from '../../plugins/data/audit-log.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

async function openAuditLog (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, audit, clock } = repositories
  const auditLog = createAuditLog(db)

  /** Two events a millisecond: a log-in of ada and a log-out of ben. */
  async function fill (milliseconds: number): Promise<void> {
    for (let index = 0; index < milliseconds; index++) {
      clock.at = START + index
      await audit.record(db, { type: 'login', outcome: 'success', userId: 'ada', details: { index } }, {})
      await audit.record(db, { type: 'logout', outcome: 'success', userId: index === 2 ? 'ada' : 'ben' }, {})
    }
  }

  /** What was found, as type and time, in pages of that many. */
  async function find (filter: AuditFilter, limit = 100): Promise<string[]> {
    const found: string[] = []
    let page = await auditLog.list(filter, { limit })
    while (page.length > 0) {
      found.push(...page.map(({ type, at }) => `${type} ${at - START}`))
      const last = page.at(-1) ?? { at: 0, id: '' }
      page = await auditLog.list(filter, { limit, after: { at: last.at, id: last.id } })
    }
    return found
  }

  return { ...repositories, auditLog, fill, find }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('An event is read with all that is stored of it', async (t) => {
      const { audit, db, auditLog } = await openAuditLog(t, engine)
      await audit.record(db, { type: 'login', outcome: 'failure', userId: 'user', sessionId: 'session', details: { why: 'just so' } }, CONTEXT)

      const [{ id, ...read } = { id: '' }, ...others] = await auditLog.list({}, { limit: 10 })

      t.match(id, /^[\da-f-]{36}$/)
      t.strictSame(others, [])
      t.same(read, event('login', { ...FROM_REQUEST, outcome: 'failure', user_id: 'user', session_id: 'session', details: '{"why":"just so"}' }))
    })

    t.test('Events are read newest first, also those of one instant, whatever the size of the pages', async (t) => {
      const { fill, find } = await openAuditLog(t, engine)
      await fill(4)

      const all = ['logout 3', 'login 3', 'logout 2', 'login 2', 'logout 1', 'login 1', 'logout 0', 'login 0']
      for (const limit of [1, 2, 3, 8, 9]) t.strictSame(await find({}, limit), all)
    })

    const filters: Array<{ filter: AuditFilter, found: string[] }> = [
      { filter: { type: 'login' }, found: ['login 3', 'login 2', 'login 1', 'login 0'] },
      { filter: { type: 'role_set' }, found: [] },
      { filter: { userId: 'ada' }, found: ['login 3', 'logout 2', 'login 2', 'login 1', 'login 0'] },
      { filter: { userId: 'ada', type: 'logout' }, found: ['logout 2'] },
      { filter: { userId: 'eve' }, found: [] },
      { filter: { from: START + 2 }, found: ['logout 3', 'login 3', 'logout 2', 'login 2'] },
      { filter: { to: START + 1 }, found: ['logout 0', 'login 0'] },
      { filter: { from: START + 1, to: START + 3 }, found: ['logout 2', 'login 2', 'logout 1', 'login 1'] },
      { filter: { from: START + 3, to: START + 1 }, found: [] },
      { filter: { type: 'login', from: START + 1, to: START + 3 }, found: ['login 2', 'login 1'] },
      { filter: { userId: 'ada', type: 'login', from: START + 1, to: START + 3 }, found: ['login 2', 'login 1'] }
    ]
    for (const { filter, found } of filters) {
      t.test(`Only what is meant is read: ${JSON.stringify(filter)}`, async (t) => {
        const { fill, find } = await openAuditLog(t, engine)
        await fill(4)

        t.strictSame(await find(filter), found)
        t.strictSame(await find(filter, 1), found)
      })
    }

    t.test('A position after the end of the time that is meant changes nothing', async (t) => {
      const { fill, auditLog } = await openAuditLog(t, engine)
      await fill(3)

      const found = await auditLog.list({ to: START + 1 }, { limit: 1, after: { at: START + 2, id: 'z' } })

      t.match(found, [{ type: 'logout', at: START }])
    })
  })
}
