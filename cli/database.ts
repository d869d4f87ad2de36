import type { Command } from 'commander'
import { withService } from './context.ts'
import { addCommand, print, type OutputOptions } from './output.ts'

export function addDatabaseCommands (program: Command): void {
  addCommand(program, 'migrate', 'bring the schema of the database up to date').action(async (options: OutputOptions) => {
    const applied = await withService(async ({ appliedMigrations }) => appliedMigrations, { makesDatabase: true }) // opening it does it
    print(options, { applied }, [...applied.map((name) => `Applied ${name}`), 'The schema is up to date'].join('\n'))
  })

  addCommand(program, 'backup <file>', 'write a consistent copy of the SQLite database, also while the server runs').action(async (file: string, options: OutputOptions) => {
    await withService(async (service) => { service.backupDatabase(file) })
    print(options, { file }, `The copy is in ${file}; it opens with the service secret only, so keep a copy of that too, elsewhere`)
  })
}
