import { type Kysely } from 'kysely'
import t from 'tap'
import { bind, parameter, parameters, prepareStatement } from '../../../lib/database/prepared.ts'
import type { LockRow, SigningKeyRow, Tables } from '../../../lib/database/tables.ts'
import { openDatabase, read } from './open.ts'

const COLUMNS = ['kid', 'alg', 'private_key', 'created_at', 'activates_at', 'revoked_at'] as const
const KEY: SigningKeyRow = { kid: 'one', alg: 'ES256', private_key: 'sealed', created_at: 1, activates_at: 2, revoked_at: null }

async function readKeys (db: Kysely<Tables>): Promise<SigningKeyRow[]> {
  return await db.selectFrom('signing_keys').select(COLUMNS).orderBy('kid').execute()
}

t.test('The values come in the order in which the text has their parameters, whatever their own order is', async (t) => {
  const { db } = await openDatabase(t)
  const query = db.updateTable('locks').set({ taken_at: parameter('at') }).where('name', '=', parameter('name')).compile()

  t.match(query.sql, /set "taken_at" = \? where "name" = \?/)
  t.strictSame(bind(query, { name: 'one', at: 5 }), [5, 'one'])
})

t.test('A parameter can be used twice', async (t) => {
  const { db } = await openDatabase(t)
  const query = db.selectFrom('locks').select('name').where('taken_at', '<', parameter('at')).where('name', '=', parameter('name')).where('taken_at', '!=', parameter('at')).compile()

  t.strictSame(bind(query, { at: 5, name: 'one' }), [5, 'one', 5])
})

t.test('A fixed value beside parameters stays what it is', async (t) => {
  const { db } = await openDatabase(t)
  const query = db.selectFrom('locks').select('name').where('name', '!=', 'at').where('taken_at', '>', parameter('at')).where('taken_at', '<', 100).compile()

  t.strictSame(bind(query, { at: 5 }), ['at', 5, 100])
})

t.test('A row of parameters has one for each column', async (t) => {
  const { db } = await openDatabase(t)
  const query = db.insertInto('locks').values(parameters<LockRow>(['name', 'taken_at'])).compile()

  t.strictSame(bind(query, { taken_at: 5, name: 'one' }), ['one', 5])
})

t.test('A prepared write takes new values each time, and null is one', async (t) => {
  const { db } = await openDatabase(t)
  const insertKey = prepareStatement(db.insertInto('signing_keys').values(parameters<SigningKeyRow>(COLUMNS)))
  const other = { ...KEY, kid: 'two', revoked_at: 3 }

  await insertKey(db, { ...KEY })
  await insertKey(db, { ...other })

  t.strictSame(await readKeys(db), [KEY, other])
})

t.test('A prepared write tells how many rows it changed, or gives them', async (t) => {
  const { db } = await openDatabase(t)
  const update = db.updateTable('roles').set({ description: parameter('description') }).where('name', '=', parameter('name'))
  const [describe, describeAndGive] = [prepareStatement(update), prepareStatement(update.returning('description'))]

  t.match(await describe(db, { name: 'user', description: 'everybody' }), { numAffectedRows: 1n })
  t.match(await describe(db, { name: 'nobody', description: 'nobody' }), { numAffectedRows: 0n })
  t.strictSame((await describeAndGive(db, { name: 'user', description: 'all' })).rows, [{ description: 'all' }])
})

t.test('A prepared write belongs to the transaction that it is given', async (t) => {
  const { db } = await openDatabase(t)
  const insertLock = prepareStatement(db.insertInto('locks').values(parameters<LockRow>(['name', 'taken_at'])))

  await insertLock(db, { name: 'by itself', taken_at: 1 })
  const transaction = db.transaction().execute(async (tx) => {
    await insertLock(tx, { name: 'undone', taken_at: 2 })
    t.equal(await read(tx, 'undone'), 2)
    throw new Error('changed my mind')
  })

  await t.rejects(transaction, { message: 'changed my mind' })
  t.equal(await read(db, 'by itself'), 1)
  t.equal(await read(db, 'undone'), undefined)
})
