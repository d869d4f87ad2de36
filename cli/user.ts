import type { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import { StartupError } from '../lib/errors.ts'
import { toTime, toUserBody, type User } from '../lib/user.ts'
import { OPERATOR, withService } from './context.ts'
import { addImportCommand } from './import.ts'
import { addCommand, formatTable, print, type OutputOptions } from './output.ts'
import { readPassword } from './password-input.ts'

interface CreateOptions extends OutputOptions {
  username: string
  email?: string
  fullName?: string
  role: string[]
  admin?: boolean
}

export function addUserCommands (program: Command): void {
  const user = program.command('user').description('make, look at and change users')

  addCommand(user, 'create', 'make a user; the password comes on standard input')
    .requiredOption('--username <name>', 'what the user logs in with')
    .option('--email <address>', 'an address that is known to be the user\'s')
    .option('--full-name <name>', 'the name for people')
    .option('--role <name>', 'a role; can be given again', (name: string, names: string[]) => [...names, name], [])
    .option('--admin', 'give the role admin')
    .action(create)

  addCommand(user, 'list', 'list all users').action(list)
  addCommand(user, 'show <user>', 'show a user, by username or e-mail address').action(show)

  addCommand(user, 'disable <user>', 'shut a user out and end the sessions').action(async (name: string, options: OutputOptions) => {
    await change(name, options, async ({ accounts }, { id }) => await accounts.update(id, { disabled: true }, OPERATOR) ? 'is disabled' : 'was disabled already')
  })
  addCommand(user, 'enable <user>', 'let a disabled user in again').action(async (name: string, options: OutputOptions) => {
    await change(name, options, async ({ accounts }, { id }) => await accounts.update(id, { disabled: false }, OPERATOR) ? 'is enabled' : 'was not disabled')
  })
  addCommand(user, 'logout <user>', 'end all sessions of a user').action(async (name: string, options: OutputOptions) => {
    await change(name, options, async ({ accounts }, { id }) => `is logged out of ${await accounts.logout(id, OPERATOR)} sessions`)
  })
  addCommand(user, 'set-password <user>', 'set a new password, from standard input, and end the sessions').action(async (name: string, options: OutputOptions) => {
    await change(name, options, async (service, user) => {
      const hash = await readPasswordHash(service, user)
      await service.db.transaction().execute(async (tx) => await service.passwords.set(tx, { userId: user.id, hash }, 'user_password_set', OPERATOR))
      return 'has a new password'
    })
  })
  addImportCommand(user)
}

async function create ({ username, email, fullName, role, admin, ...output }: CreateOptions): Promise<void> {
  const roles = admin === true ? [...role, 'admin'] : role
  const user = await withService(async (service) => {
    const passwordHash = await readPasswordHash(service, { username, ...(email !== undefined && { email }) })
    if (service.config.requireVerifiedEmail && email === undefined) process.stderr.write('With REQUIRE_VERIFIED_EMAIL nobody logs in without an address: give one with --email\n')
    return await service.users.create({
      username,
      passwordHash,
      roles,
      ...(email !== undefined && { email, emailVerified: true }),
      ...(fullName !== undefined && { fullName })
    }, OPERATOR)
  }, { makesDatabase: true })
  print(output, toUserBody(user), `${user.username} is there`)
}

async function list (options: OutputOptions): Promise<void> {
  const users = await withService(async (service) => await service.users.list())
  const rows = users.map(({ username, email, roles, disabledAt, lastLoginAt }) => ({
    username,
    email: email ?? '-',
    roles: roles.join(' '),
    state: disabledAt === null ? 'enabled' : 'disabled',
    'last login': lastLoginAt === null ? '-' : toTime(lastLoginAt)
  }))
  print(options, users.map(toUserBody), rows.length === 0 ? 'There are no users' : formatTable(rows))
}

async function show (name: string, options: OutputOptions): Promise<void> {
  const user = await withService(async (service) => await requireUser(service, name))
  const result = toUserBody(user)
  const lines = Object.entries(result).map(([key, value]) => `${key}: ${value === null ? '-' : String(value)}`)
  print(options, result, lines.join('\n'))
}

/** Prints the user as it is after the change, and for people what the change did. */
async function change (name: string, options: OutputOptions, act: (service: FastifyInstance, user: User) => Promise<string>): Promise<void> {
  const [outcome, user] = await withService(async (service) => {
    const outcome = await act(service, await requireUser(service, name))
    return [outcome, await requireUser(service, name)] as const
  })
  print(options, toUserBody(user), `${user.username} ${outcome}`)
}

async function requireUser ({ users }: FastifyInstance, name: string): Promise<User> {
  const user = await users.find(name)
  if (user === undefined) throw new StartupError('There is no such user')
  return user
}

async function readPasswordHash ({ passwordHasher, passwordPolicy }: FastifyInstance, owner: { username: string, email?: string | null }): Promise<string> {
  return await passwordHasher.hash(await passwordPolicy.check(await readPassword(), owner))
}
