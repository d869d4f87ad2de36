import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { pino, type Logger } from 'pino'
import t, { type Test } from 'tap'
import { parameter } from '../../../lib/database/prepared.ts'
import { openSqlite } from '../../../lib/database/sqlite-connection.ts'
import { secretPathFor } from '../../../lib/service-secret.ts'
import { migrations } from '../../../migrations/index.ts'
import database from '../../../plugins/data/database.ts'
import config from '../../../plugins/support/config.ts'
import { captureLog, fileOf, SECRET, temporaryDirectory, testConfig, type Env } from '../../helper.ts'

const WITHOUT_SECRET = { LATCHKEY_SECRET: '' }

async function open (t: Test, env: Env = {}, logger: Logger = pino({ level: 'silent' })): Promise<FastifyInstance> {
  const fastify = Fastify({ loggerInstance: logger }) as unknown as FastifyInstance
  t.teardown(async () => { await fastify.close() })
  await fastify.register(config, { app: { config: testConfig(t, env) } })
  await fastify.register(database)
  return fastify
}

t.test('The secrets of the settings are taken, and none is made', async (t) => {
  const fastify = await open(t, { LATCHKEY_SECRET: `${SECRET}-new,${SECRET}` })

  t.same(fastify.secrets, [`${SECRET}-new`, SECRET])
  t.notOk(existsSync(secretPathFor(fileOf(fastify.config))))
})

t.test('Without a secret in the settings one is made beside the database, and the next start takes it', async (t) => {
  const env = { ...WITHOUT_SECRET, DATABASE_URL: `file:${temporaryDirectory(t)}/latchkey.db` }

  const first = await open(t, env)
  const secret = readFileSync(secretPathFor(fileOf(first.config)), 'utf8').trim()
  await first.close()
  const second = await open(t, env)

  t.same(first.secrets, [secret])
  t.same(second.secrets, [secret])
})

t.test('A secret file that others can read is warned of', async (t) => {
  const path = join(temporaryDirectory(t), 'latchkey.db')
  const env = { ...WITHOUT_SECRET, DATABASE_URL: `file:${path}` }
  const [quiet, loud] = [captureLog('warn'), captureLog('warn')]

  await (await open(t, env, quiet.logger)).close()
  chmodSync(secretPathFor(path), 0o644)
  await open(t, env, loud.logger)

  t.same(quiet.lines, [])
  t.match(loud.lines, [{ level: 40, file: secretPathFor(path), msg: 'The secret file can be read by others; set its mode to 0600' }])
})

t.test('The start that brings the schema up to date says so, once', async (t) => {
  const env = { DATABASE_URL: `file:${temporaryDirectory(t)}/latchkey.db` }
  const [first, second] = [captureLog('info'), captureLog('info')]

  await (await open(t, env, first.logger)).close()
  await open(t, env, second.logger)

  t.match(first.lines, [{ level: 30, migrations: Object.keys(migrations), msg: 'The schema is up to date' }])
  t.same(second.lines, [])
})

t.test('A prepared read takes new parameters each time and sees what is committed', async (t) => {
  const { db, prepareRead } = await open(t)
  const readScopes = prepareRead(db.selectFrom('roles').select('scopes').where('name', '=', parameter('name')))

  t.same(await readScopes({ name: 'user' }), { scopes: 'profile account' })
  t.equal(await readScopes({ name: 'nobody' }), undefined)
  await db.updateTable('roles').set({ scopes: 'profile' }).where('name', '=', 'user').execute()
  t.same(await readScopes({ name: 'user' }), { scopes: 'profile' })
})

t.test('A prepared read does not wait for a transaction', async (t) => {
  const { db, prepareRead } = await open(t)
  const readScopes = prepareRead(db.selectFrom('roles').select('scopes').where('name', '=', parameter('name')))

  const meanwhile = await db.transaction().execute(async (tx) => {
    await tx.updateTable('roles').set({ scopes: 'profile' }).where('name', '=', 'user').execute()
    return await readScopes({ name: 'user' })
  })

  t.same(meanwhile, { scopes: 'profile account' })
})

t.test('What was found is remembered until anybody commits anything', async (t) => {
  const { db, rememberRead, config } = await open(t)
  let reads = 0
  const find = rememberRead(async (key) => `${key} ${++reads}`)
  const other = new DatabaseSync(fileOf(config))
  t.teardown(() => { other.close() })

  t.same([await find('a'), await find('a')], ['a 1', 'a 1'])
  await db.updateTable('roles').set({ scopes: 'profile' }).where('name', '=', 'user').execute()
  t.same([await find('a'), await find('a')], ['a 2', 'a 2'], 'this process, at once')
  other.exec("update roles set scopes = ''")
  await nextTurn()
  t.same([await find('a'), await find('a')], ['a 3', 'a 3'], 'another, in the next turn of the event loop')
})

t.test('A transaction that is not yet committed makes nobody forget what is', async (t) => {
  const { db, rememberRead } = await open(t)
  let reads = 0
  const find = rememberRead(async () => ++reads)
  await find('a')

  const meanwhile = await db.transaction().execute(async (tx) => {
    await tx.updateTable('roles').set({ scopes: 'profile' }).where('name', '=', 'user').execute()
    await nextTurn()
    return await find('a')
  })

  t.equal(meanwhile, 1)
  t.equal(await find('a'), 2)
})

t.test('A backup that is made while a transaction runs holds nothing of it', async (t) => {
  const { db, backupDatabase } = await open(t)
  const target = join(temporaryDirectory(t), 'backup.db')

  await db.transaction().execute(async (tx) => {
    await tx.insertInto('locks').values({ name: 'half an act', taken_at: 1 }).execute()
    backupDatabase(target)
  })

  const copy = new DatabaseSync(target, { readOnly: true })
  t.teardown(() => { copy.close() })
  t.same(copy.prepare('select name from locks').all(), [{ name: 'signing-keys' }])
})

t.test('Closing leaves a single file that can be opened', async (t) => {
  const fastify = await open(t)
  const path = fileOf(fastify.config)

  await fastify.close()

  t.same([path, `${path}-wal`, `${path}-shm`].map((file) => existsSync(file)), [true, false, false])
  t.doesNotThrow(() => { openSqlite(path).close() })
})
