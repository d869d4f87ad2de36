import type { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import { StartupError } from '../lib/errors.ts'
import { networkOf, UNKNOWN_NETWORK } from '../lib/network.ts'
import { toThrottleBody } from '../lib/throttle/counted.ts'
import { OPERATOR, withService } from './context.ts'
import { addCommand, formatTable, print, type OutputOptions } from './output.ts'

interface ClearOptions extends OutputOptions {
  user?: string
  network?: string
  all?: boolean
}

export function addThrottleCommands (program: Command): void {
  const throttle = program.command('throttle').description('look at counted failures and mails, and forget them')

  addCommand(throttle, 'list', 'list what is counted and who has to wait').action(async (options: OutputOptions) => {
    const counts = await withService(async (service) => (await service.throttleAdministration.list({})).map(toThrottleBody))
    const rows = counts.map(({ rule, username, network, failures, blocked_until: until }) => ({
      rule,
      user: username ?? '-',
      network: network ?? '-',
      failures: String(failures),
      'blocked until': until ?? '-'
    }))
    print(options, counts, rows.length === 0 ? 'Nothing is counted' : formatTable(rows))
  })

  addCommand(throttle, 'clear', 'forget what is counted about a user, of a network, or everything')
    .option('--user <user>', 'a username or e-mail address')
    .option('--network <network>', 'an address, or a network as the list shows it')
    .option('--all', 'everything')
    .action(async ({ user, network, all, ...output }: ClearOptions) => {
      if ([user, network, all].filter((chosen) => chosen !== undefined).length !== 1) throw new StartupError('Say one of --user, --network and --all')
      const cleared = await withService(async (service) => {
        if (user !== undefined) return await clearUser(service, user)
        if (network !== undefined) return await service.throttleAdministration.clearNetwork(parseNetwork(network), OPERATOR)
        return await service.throttleAdministration.clearAll(OPERATOR)
      })
      print(output, { cleared }, `Forgot ${cleared} ${cleared === 1 ? 'count' : 'counts'}`)
    })
}

async function clearUser ({ users, throttleAdministration }: FastifyInstance, name: string): Promise<number> {
  const user = await users.find(name)
  if (user === undefined) throw new StartupError('There is no such user')
  return await throttleAdministration.clearUser(user.id, OPERATOR)
}

function parseNetwork (text: string): string {
  const network = networkOf(text.replace(/\/64$/, ''))
  if (network === UNKNOWN_NETWORK && text !== UNKNOWN_NETWORK) throw new StartupError('That is no IP address')
  return network
}
