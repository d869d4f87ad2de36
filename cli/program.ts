import { Command } from 'commander'
import { PublicError, StartupError } from '../lib/errors.ts'
import packageJson from '../package.json' with { type: 'json' }
import { addCalibrateCommand } from './calibrate.ts'
import { addDatabaseCommands } from './database.ts'
import { addKeyCommands } from './key.ts'
import { addMoveCommand } from './move.ts'
import { addRoleCommands } from './role.ts'
import { addThrottleCommands } from './throttle.ts'
import { addUserCommands } from './user.ts'

const program = new Command('latchkey')
  .description('Works on the database of the settings directly, whether a server runs or not')
  .version(packageJson.version)
  .showHelpAfterError()

addUserCommands(program)
addRoleCommands(program)
addKeyCommands(program)
addThrottleCommands(program)
addDatabaseCommands(program)
addMoveCommand(program)
addCalibrateCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  const isForOperator = error instanceof StartupError || error instanceof PublicError
  process.stderr.write(`${isForOperator ? error.message : (error as Error).stack}\n`)
  process.exitCode = 1
}
