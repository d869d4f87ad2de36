#!/usr/bin/env node
import { Command } from 'commander'
import { addCalibrateCommand } from './cli/calibrate.ts'
import { addDatabaseCommands } from './cli/database.ts'
import { addKeyCommands } from './cli/key.ts'
import { addMoveCommand } from './cli/move.ts'
import { addRoleCommands } from './cli/role.ts'
import { addThrottleCommands } from './cli/throttle.ts'
import { addUserCommands } from './cli/user.ts'
import { PublicError, StartupError } from './lib/errors.ts'
import packageJson from './package.json' with { type: 'json' }

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
