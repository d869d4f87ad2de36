import t from 'tap'
import { createClient, createPatientPool, createServingPool } from '../../../lib/database/postgres-pool.ts'

const URL = 'postgres://latchkey@127.0.0.1/latchkey'
const EVERY = { connectionTimeoutMillis: 1000, keepAlive: true, keepAliveInitialDelayMillis: 10_000, application_name: 'latchkey' }
const BY_SERVER = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const

t.test('Whoever serves requests waits a second for one of ten connections and two for an answer', async (t) => {
  for (const isDirect of [true, false]) t.match(createServingPool(URL, { isDirect }).options, { ...EVERY, max: 10, query_timeout: 2000 })
})

t.test('The server is told of bounds only where it is the one that hears of them', async (t) => {
  t.match(createServingPool(URL, { isDirect: true }).options, { statement_timeout: 2000, lock_timeout: 1500, idle_in_transaction_session_timeout: 5000 })
  for (const pool of [createServingPool(URL, { isDirect: false }), createPatientPool(URL)]) {
    for (const name of BY_SERVER) t.notOk(name in pool.options, name)
  }
})

t.test('What takes its time has one connection and all the time for an answer', async (t) => {
  const { options } = createPatientPool(URL)

  t.match(options, { ...EVERY, max: 1 })
  t.notOk('query_timeout' in options)
})

t.test('An answer to one connection by itself is waited for as long as is said', async (t) => {
  const { connectionParameters } = createClient(URL, 700) as unknown as { connectionParameters: { query_timeout: number } }

  t.equal(connectionParameters.query_timeout, 700)
})

t.test('What breaks while nobody uses it stops no process', async (t) => {
  for (const emitter of [createClient(URL), createPatientPool(URL), createServingPool(URL, { isDirect: true })]) {
    t.doesNotThrow(() => { emitter.emit('error', new Error('cut')) })
  }
})

for (const { mode, ssl } of [
  { mode: 'disable', ssl: false },
  { mode: 'require', ssl: { rejectUnauthorized: false } },
  { mode: 'verify-full', ssl: {} }
]) {
  t.test(`sslmode=${mode} means what it does to every PostgreSQL program`, async (t) => {
    t.strictSame((createClient(`${URL}?sslmode=${mode}`) as unknown as { ssl: unknown }).ssl, ssl)
  })
}
