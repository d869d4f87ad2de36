import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { parseDatabaseUrl } from '../lib/config-database.ts'
import { moveDatabase, type Moved } from '../lib/database/move.ts'
import { openPatientPostgres } from '../lib/database/open-postgres.ts'
import { openSqliteDatabase } from '../lib/database/open-sqlite.ts'
import { StartupError } from '../lib/errors.ts'
import { readConfig } from '../lib/process-config.ts'
import { secretPathFor } from '../lib/service-secret.ts'
import { addCommand, print, type OutputOptions } from './output.ts'

export function addMoveCommand (program: Command): void {
  addCommand(program, 'move', 'copy the SQLite database of the settings to an empty PostgreSQL database, while no server runs')
    .requiredOption('--to <url>', 'postgres://USER@HOST/DATABASE; the password may be in PGPASSWORD instead')
    .action(async ({ to, ...output }: OutputOptions & { to: string }) => {
      const { database, secrets } = readConfig()
      if (database.engine !== 'sqlite' || !existsSync(database.path)) throw new StartupError('DATABASE_URL must name the SQLite database that is to be moved')
      const moved = await move(database.path, parseTarget(to))
      const secret = secrets.length > 0 ? 'the same LATCHKEY_SECRET' : `LATCHKEY_SECRET_FILE=${secretPathFor(database.path)}`
      print(output, moved, `Moved ${moved.users} users and ${moved.sessions} sessions. Start with the new DATABASE_URL and ${secret}`)
    })
}

async function move (path: string, url: string): Promise<Moved> {
  const target = await openPatientPostgres(url)
  try {
    const source = await openSqliteDatabase(path)
    return await moveDatabase(source.db, target).finally(source.close)
  } finally {
    await target.destroy()
  }
}

function parseTarget (url: string): string {
  const problems: string[] = []
  const target = parseDatabaseUrl(url, problems)
  if (problems.length > 0 || target.engine !== 'postgres') throw new StartupError('--to must be postgres://USER@HOST/DATABASE')
  return target.url
}
