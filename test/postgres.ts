import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg, { type Client } from 'pg'
import type { Test } from 'tap'
import { canRun } from './helper.ts'

/** A PostgreSQL database that tests may make schemas in. */
export const TEST_DATABASE_URL = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'

/** Whether what needs PostgreSQL can be tested; where it can't, that shows in one line. */
export async function needsPostgres (t: Test): Promise<boolean> {
  const isThere = await query(TEST_DATABASE_URL, 'select').then(() => true, () => false)
  return canRun(t, 'PostgreSQL at TEST_DATABASE_URL', isThere)
}

/** Runs one statement past the service. */
export async function query (url: string, sql: string, values: unknown[] = []): Promise<Array<Record<string, unknown>>> {
  return await withClient(url, async (client) => (await client.query(sql, values)).rows)
}

export async function withClient<Result> (url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // the work is told by its statement
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The URL of an empty schema of the test's own, which is gone when the test ends. */
export async function emptySchema (t: Test): Promise<string> {
  const schema = `test_${randomUUID().replaceAll('-', '')}`
  await query(TEST_DATABASE_URL, `create schema ${schema}`)
  t.teardown(async () => { await query(TEST_DATABASE_URL, `drop schema ${schema} cascade`) })
  const url = new URL(TEST_DATABASE_URL)
  // Tests need not wait for the disk.
  url.searchParams.set('options', `-c search_path=${schema} -c synchronous_commit=off`)
  return url.href
}

const LONGEST_WAIT_MS = 5000

/** Asks until the answer is yes; what takes far longer than it should is a no. */
export async function until (isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + LONGEST_WAIT_MS
  while (!await isSo()) {
    if (performance.now() > deadline) return false
    await sleep(10)
  }
  return true
}
