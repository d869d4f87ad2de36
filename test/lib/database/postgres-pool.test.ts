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

t.test('What breaks while nobody uses it stops no process', async (t) => {
  for (const emitter of [createClient(URL), createPatientPool(URL), createServingPool(URL, { isDirect: true })]) {
    t.doesNotThrow(() => { emitter.emit('error', new Error('cut')) })
  }
})
