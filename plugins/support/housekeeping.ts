import { setTimeout as pause } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { Sweep } from '../data/expiry.ts'

export interface Housekeeping {
  /** Removes what nobody needs any more. Never rejects, and never runs twice at a time. */
  run (): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    housekeeping: Housekeeping
  }
}

/** How often each process that listens keeps house, in milliseconds. */
export const HOUSEKEEPING_MS = 15 * 60 * 1000
// After each batch the requests that wait for the database have their turn.
const PAUSE_MS = 20

export default fp(async (fastify) => {
  const { expiry, isDraining, log } = fastify
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function sweep (what: string, removeBatch: Sweep): Promise<void> {
    try {
      let cursor: string | undefined = ''
      while (cursor !== undefined && !isDraining()) {
        cursor = await removeBatch(cursor)
        await pause(PAUSE_MS)
      }
    } catch (error) {
      log.error({ err: error, what }, 'What is too old could not be removed')
    }
  }

  async function sweepAll (): Promise<void> {
    for (const [what, removeBatch] of Object.entries(expiry)) await sweep(what, removeBatch)
  }

  const housekeeping: Housekeeping = {
    async run () {
      running ??= sweepAll().finally(() => { running = undefined })
      await running
    }
  }
  fastify.decorate('housekeeping', housekeeping)

  fastify.addHook('onListen', async () => {
    timer = setInterval(() => { housekeeping.run() }, HOUSEKEEPING_MS).unref()
  })
  fastify.addHook('onClose', async () => {
    clearInterval(timer)
    await running
  })
}, { name: 'housekeeping', fastify: '5.x', dependencies: ['draining', 'expiry'] })
