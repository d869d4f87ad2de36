import pg, { type Client, type ClientConfig, type Pool, type PoolConfig } from 'pg'

/** What a connection is for, which decides how long it waits. Times are milliseconds. */
const CONNECT_MS = 1000
const STATEMENT_MS = 2000
// Longer than the second after which the server looks for a deadlock, so that one is told from a long wait.
const LOCK_MS = 1500
const IDLE_IN_TRANSACTION_MS = 5000
const MOST_CONNECTIONS = 10

/** The server's bounds for the connections of requests. */
export const SERVER_BOUNDS = {
  statement_timeout: STATEMENT_MS,
  lock_timeout: LOCK_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS
}

const INT8 = 20

function parserOf (oid: number, format?: 'text' | 'binary') {
  // Times and counts are far below 2^53.
  return oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
}

function connectionConfig (url: string): ClientConfig {
  return {
    connectionString: withLibpqModes(url),
    application_name: 'latchkey',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser }
  }
}

// With this the driver takes `sslmode` as every other PostgreSQL program does.
function withLibpqModes (text: string): string {
  const url = new URL(text)
  if (url.searchParams.has('sslmode')) url.searchParams.set('uselibpqcompat', 'true')
  return url.href
}

/** One connection, whose statements take as long as they take unless `timeoutMs` says otherwise. */
export function createClient (url: string, timeoutMs = 0): Client {
  const client = new pg.Client({ ...connectionConfig(url), query_timeout: timeoutMs })
  client.on('error', ignore)
  return client
}

/** One connection at a time, for work that takes its time. */
export function createPatientPool (url: string): Pool {
  return withoutCrash(new pg.Pool({ ...connectionConfig(url), max: 1 }))
}

/**
 * The connections that serve requests: whatever happens to the database, nobody waits for long.
 *
 * @param isDirect whether nothing stands between us and the server, so that it takes its bounds when we connect
 */
export function createServingPool (url: string, { isDirect, ...options }: Pick<PoolConfig, 'max' | 'onConnect'> & { isDirect: boolean }): Pool {
  return withoutCrash(new pg.Pool({
    ...connectionConfig(url),
    max: MOST_CONNECTIONS,
    query_timeout: STATEMENT_MS,
    ...isDirect && SERVER_BOUNDS,
    ...options
  }))
}

// A connection that breaks while nobody uses it is replaced; while somebody does, he is told by his query.
function withoutCrash (pool: Pool): Pool {
  pool.on('error', ignore)
  pool.on('connect', (client) => { client.on('error', ignore) })
  return pool
}

function ignore (): void {}
