import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { Kysely } from 'kysely'
import type { Test } from 'tap'
import { migrate } from '../../../lib/database/migrate.ts'
import { openSqlite, type SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import { createSqliteDialect } from '../../../lib/database/sqlite-dialect.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { temporaryDirectory } from '../../helper.ts'

export const MODULES = pathToFileURL(join(import.meta.dirname, '../../../lib/database/')).href
export const UNAVAILABLE = { name: 'UnavailableError', statusCode: 503, headers: { 'retry-after': '1' } }

export interface OpenDatabase {
  path: string
  connection: SqliteConnection
  db: Kysely<Tables>
}

/** An empty database with its schema; it is closed when the test ends. */
export async function openDatabase (t: Test, path = join(temporaryDirectory(t), 'latchkey.db')): Promise<OpenDatabase> {
  const connection = openSqlite(path)
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(connection) })
  t.teardown(async () => { await db.destroy() })
  await migrate(db)
  return { path, connection, db }
}

/** Adds or counts up a row of the table that has the fewest columns. */
export async function write (db: Kysely<Tables>, name: string, takenAt = 1): Promise<void> {
  await db.insertInto('locks').values({ name, taken_at: takenAt })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ taken_at: takenAt })).execute()
}

export async function read (db: Kysely<Tables>, name: string): Promise<number | undefined> {
  const row = await db.selectFrom('locks').select('taken_at').where('name', '=', name).executeTakeFirst()
  return row?.taken_at
}

export interface OtherProcess {
  /** Resolves when it has written to standard output, to what it wrote. */
  answer: () => Promise<string>
  /** Sends it on its way. */
  tell: () => void
  /** Resolves when it has ended, to all that it wrote from then on. */
  end: Promise<{ code: number | null, stdout: string, stderr: string }>
}

/** Runs an ES module, which finds `argument` in `process.argv[1]`, in a process of its own that ends with the test. */
export function startProcess (t: Test, module: string, argument: string): OtherProcess {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', module, argument], { env: {} })
  const end = Promise.all([text(child.stderr), once(child, 'close')])
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await end
  })
  return {
    answer: async () => String(await Promise.race([once(child.stdout, 'data'), end.then(([stderr]) => { throw new Error(stderr) })])),
    tell: () => { child.stdin.write('\n') },
    end: end.then(([stderr, [code]]) => ({ code: code as number | null, stdout, stderr }))
  }
}

const LOCK = `
  import { once } from 'node:events'
  import { DatabaseSync } from 'node:sqlite'
  const database = new DatabaseSync(process.argv[1])
  database.exec('begin immediate')
  process.stdout.write('locked')
  await once(process.stdin, 'data')
  database.exec('rollback')
  process.exit()`

/** Lets another process hold the write lock; the answer makes it let go. */
export async function lockInOtherProcess (t: Test, path: string): Promise<() => Promise<void>> {
  const other = startProcess(t, LOCK, path)
  await other.answer()
  return async () => {
    other.tell()
    await other.end
  }
}
