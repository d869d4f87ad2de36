import type { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import { toKeyBody } from '../lib/key-body.ts'
import { toTime } from '../lib/user.ts'
import { OPERATOR, withService } from './context.ts'
import { addCommand, formatTable, print, type OutputOptions } from './output.ts'

export function addKeyCommands (program: Command): void {
  const key = program.command('key').description('look at and rotate the signing keys')

  addCommand(key, 'list', 'list the keys whose tokens are believed').action(async (options: OutputOptions) => {
    const keys = await withService(async (service) => describeKeys(service))
    print(options, keys, formatTable(keys))
  })

  addCommand(key, 'rotate', 'publish a new key, which signs ten minutes later')
    .option('--immediately', 'for a leaked key: sign with the new key now and refuse all others')
    .action(async ({ immediately, ...output }: OutputOptions & { immediately?: boolean }) => {
      const { kid, activatesAt } = await withService(async ({ keyRing }) => await keyRing.rotate({ immediately: immediately === true }, OPERATOR))
      print(output, { kid, activates_at: toTime(activatesAt) }, `The key ${kid} signs from ${toTime(activatesAt)}`)
    })
}

function describeKeys ({ keyRing }: FastifyInstance) {
  return keyRing.trusted().map((key) => toKeyBody(key, keyRing.current()))
}
