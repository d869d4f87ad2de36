import { sql, type Compilable } from 'kysely'
import type { ClientBase } from 'pg'
import { StartupError } from '../errors.ts'
import { remember, type Find } from '../remember.ts'
import { ofNobody, REMEMBERED, type OpenDatabase } from './database.ts'
import { migrate } from './migrate.ts'
import { createPostgresDialect } from './postgres-dialect.ts'
import { startupError } from './postgres-errors.ts'
import { createListener, type Listener } from './postgres-listener.ts'
import { createClient, createPatientPool, createServingPool, SERVER_BOUNDS } from './postgres-pool.ts'
import { RetryingKysely } from './postgres-retry.ts'
import { prepare, type Values } from './prepared.ts'
import { prepareAtOnce } from './together.ts'

/** What the start logs to. */
interface Log {
  info: (message: string) => void
  warn: (message: string) => void
}

interface Server {
  /** Whether nothing stands between us and the server. */
  isDirect: boolean
  schema: string
}

/** @throws StartupError if the database can't be reached or used */
export async function openPostgresDatabase (url: string, log: Log): Promise<OpenDatabase> {
  try {
    const server = await look(url)
    const migrating = openPatient(url)
    const applied = await migrate(migrating).finally(async () => { await migrating.destroy() })
    return await open(url, server, applied, log)
  } catch (error) {
    throw startupError(error)
  }
}

/**
 * For work that takes its time, one statement after the other, when the schema is up to date.
 *
 * @throws StartupError if the database can't be reached or used
 */
export async function openPatientPostgres (url: string): Promise<RetryingKysely> {
  const db = openPatient(url)
  try {
    await look(url)
    await migrate(db)
    return db
  } catch (error) {
    await db.destroy()
    throw startupError(error)
  }
}

function openPatient (url: string): RetryingKysely {
  return new RetryingKysely({ dialect: createPostgresDialect(createPatientPool(url), { begin: 'begin', keepsStatements: false }) })
}

/** A pooler hands out process ids of its own. Behind one, nothing is heard, and a connection keeps neither bounds nor statements. */
async function look (url: string): Promise<Server> {
  const client = createClient(url)
  try {
    await client.connect()
    const { rows: [server] } = await client.query<{ pid: number, schema: string | null }>('select pg_backend_pid() as pid, current_schema() as schema')
    if (server === undefined || server.schema === null) throw new StartupError('The database has no schema to make tables in: create the one that DATABASE_URL names')
    return { isDirect: server.pid === (client as unknown as { processID: number }).processID, schema: server.schema }
  } finally {
    await client.end()
  }
}

async function open (url: string, { isDirect, schema }: Server, applied: string[], log: Log): Promise<OpenDatabase> {
  const listener = isDirect ? listenTo(url, schema, log) : undefined
  const session = { begin: isDirect ? 'begin' : beginWithBounds(), keepsStatements: isDirect }
  const hear = listener && { onConnect: listener.hear as (client: ClientBase) => void }
  const pool = createServingPool(url, { isDirect, ...hear })
  const db = new RetryingKysely({ dialect: createPostgresDialect(pool, session) })
  // Whether the server answers must show also while all connections are taken.
  const pinging = new RetryingKysely({ dialect: createPostgresDialect(createServingPool(url, { isDirect, max: 1 }), session) })
  await listener?.start()

  return {
    applied,
    db,

    prepareRead: <Row>(query: Compilable<Row>) => {
      const prepared = prepare(query)
      return async (values: Values) => {
        const { rows: [row] } = await db.executeQuery<Row>(prepared(values))
        return row
      }
    },

    rememberRead: <Value>(find: Find<Value>, ownerOf: (value: Value) => string | undefined = ofNobody) => listener === undefined
      ? find
      : remember(find, ownerOf, listener, REMEMBERED),

    prepareTogether: (opening) => prepareAtOnce(db, opening),

    state: () => ({
      usedConnections: pool.totalCount - pool.idleCount,
      waitingRequests: pool.waitingCount,
      hearsChanges: listener?.isHeard() === true
    }),

    ping: async () => { await sql`select name from roles limit 1`.execute(pinging) },

    backup: () => { throw new StartupError('A PostgreSQL database is copied with its own tools, such as pg_dump') },

    async close () {
      listener?.stop()
      await Promise.all([db.destroy(), pinging.destroy()])
    }
  }
}

function listenTo (url: string, schema: string, log: Log): Listener {
  return createListener(url, {
    schema,
    now: () => performance.now(),
    onTurn: (isHeard) => {
      if (isHeard) log.info('Changes of the database are heard: live sessions are remembered')
      else log.warn('Changes of the database are not heard: sessions are read for each request')
    }
  })
}

function beginWithBounds (): string {
  return ['begin', ...Object.entries(SERVER_BOUNDS).map(([name, ms]) => `set local ${name} = ${ms}`)].join('; ')
}
