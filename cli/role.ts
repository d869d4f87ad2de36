import type { Command } from 'commander'
import { StartupError } from '../lib/errors.ts'
import { toRoleBody } from '../lib/roles.ts'
import { formatScope } from '../lib/scopes.ts'
import { OPERATOR, withService } from './context.ts'
import { addCommand, formatTable, print, type OutputOptions } from './output.ts'

interface SetOptions extends OutputOptions {
  scope: string[]
  description: string
}

export function addRoleCommands (program: Command): void {
  const role = program.command('role').description('look at, make, change and delete roles')

  addCommand(role, 'list', 'list all roles and what they allow').action(async (options: OutputOptions) => {
    const roles = await withService(async (service) => await service.roles.list())
    print(options, roles.map(toRoleBody), formatTable(roles.map(({ name, scopes, description }) => ({ name, scopes: formatScope(scopes), description }))))
  })

  addCommand(role, 'set <name>', 'make a role, or change it as a whole')
    .requiredOption('--scope <scope...>', 'what it allows; can be given again')
    .option('--description <text>', 'what it is for', '')
    .action(async (name: string, { scope: scopes, description, ...output }: SetOptions) => {
      const { role, isNew } = await withService(async (service) => await service.roles.set({ name, scopes, description }, OPERATOR))
      print(output, toRoleBody(role), `${name} is ${isNew ? 'there' : 'changed'}`)
    })

  addCommand(role, 'delete <name>', 'take a role away from all who have it').action(async (name: string, options: OutputOptions) => {
    const isRemoved = await withService(async (service) => await service.roles.remove(name, OPERATOR))
    if (!isRemoved) throw new StartupError('There is no such role')
    print(options, { name }, `${name} is gone`)
  })
}
