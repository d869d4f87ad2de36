import type { Test } from 'tap'
import type { OpenDatabase } from '../../../lib/database/database.ts'
import { openPostgresDatabase } from '../../../lib/database/open-postgres.ts'

/** Opens what the URL names, without a log; it is closed when the test ends. */
export async function openPostgres (t: Test, url: string): Promise<OpenDatabase> {
  const database = await openPostgresDatabase(url, { info: () => {}, warn: () => {} })
  t.teardown(database.close)
  return database
}
