import pg from 'pg'
import t from 'tap'
import { retryConflicts } from '../../../lib/database/postgres-retry.ts'

function fault (code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('a fault', 0, 'error'), { code })
}

for (const { name, code } of [{ name: 'A deadlock', code: '40P01' }, { name: 'Work that can not be put in an order', code: '40001' }]) {
  t.test(`${name} has the work done again`, async (t) => {
    let attempts = 0

    const result = await retryConflicts(async () => {
      if (++attempts < 4) throw fault(code)
      return 'done'
    })

    t.equal(result, 'done')
    t.equal(attempts, 4)
  })
}

t.test('What conflicts every time is given up', async (t) => {
  let attempts = 0

  await t.rejects(retryConflicts(async () => {
    attempts++
    throw fault('40P01')
  }), { code: '40P01' })

  t.equal(attempts, 4)
})

t.test('Another fault is told at once', async (t) => {
  let attempts = 0

  await t.rejects(retryConflicts(async () => {
    attempts++
    throw fault('23505')
  }), { code: '23505' })

  t.equal(attempts, 1)
})
