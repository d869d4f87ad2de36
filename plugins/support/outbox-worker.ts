import fp from 'fastify-plugin'
import type { Mail } from '../../lib/due-mail.ts'
import { composeMail } from '../../lib/mail-templates.ts'
import type { TakenMessage } from '../data/outbox.ts'

export interface OutboxWorker {
  /** Sends what is due, one mail after the other; resolves when nothing is. Never rejects. */
  run (): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    outboxWorker: OutboxWorker
  }
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** How often each process that listens looks for mails, whoever owes them, in milliseconds. */
export const POLL_MS = SECOND
/** A message whose process died is due again after that, in milliseconds. */
export const LEASE_MS = MINUTE
/** A mail that can't be sent for so long is given up, in milliseconds. */
const GIVE_UP_MS = 24 * HOUR
/** How often a mail is tried whose recipient the mail server refuses for good. */
const MAX_REFUSALS = 3

/** How long a mail waits that could not be sent so many times before, in milliseconds. */
function retryDelay (attempts: number): number {
  return Math.min(MINUTE * 2 ** attempts, HOUR)
}

/** RFC 5321 section 4.2.1; those below 550 speak of what we said and not of the mailbox. */
function isPermanent (status = 0): boolean {
  return status >= 550 && status < 560
}

export default fp(async (fastify) => {
  const { outbox, dueMails, mail, clock, config, isDraining, log } = fastify
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let endPause = (): void => {}
  let lastMs = 0

  /** Lasts no longer than until the service stops. */
  async function pause (ms: number): Promise<void> {
    if (isDraining()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    endPause = () => {
      clearTimeout(timer)
      resolve()
    }
    await promise
  }

  async function deliver (taken: TakenMessage): Promise<void> {
    const startedAt = performance.now()
    const due = await dueMails.prepare(taken.message)
    if (due === undefined) {
      // Who waits for the next mail must not see that there was none.
      await pause(Math.max(0, startedAt + lastMs - performance.now()))
    } else {
      if (!await send(composeMail(due, config), taken)) return
      lastMs = performance.now() - startedAt
    }
    await outbox.remove(taken.id)
  }

  /** Resolves to whether the message is done with. */
  async function send (letter: Mail, { id, attempts, createdAt }: TakenMessage): Promise<boolean> {
    try {
      await mail.send(letter)
      return true
    } catch (error) {
      // Its text may hold the address.
      const { code, responseCode: status } = error as { code?: string, responseCode?: number }
      const fault = { kind: letter.kind, attempts: attempts + 1, code, status }
      const isRefused = code === 'EENVELOPE' && isPermanent(status)
      if (clock.now() >= createdAt + GIVE_UP_MS || (isRefused && attempts + 1 >= MAX_REFUSALS)) {
        log[isRefused ? 'info' : 'error'](fault, 'A mail could not be sent and is given up')
        return true
      }
      log[code === 'EENVELOPE' ? 'info' : 'warn'](fault, 'A mail could not be sent and will be tried again')
      await outbox.postpone(id, clock.now() + retryDelay(attempts))
      return false
    }
  }

  async function drain (): Promise<void> {
    while (!isDraining()) {
      const taken = await outbox.take(LEASE_MS)
      if (taken === undefined) return
      await deliver(taken)
    }
  }

  const worker: OutboxWorker = {
    async run () {
      running ??= drain()
        .catch((error: unknown) => { log.error(error, 'The outbox could not be looked after') })
        .finally(() => { running = undefined })
      await running
    }
  }
  fastify.decorate('outboxWorker', worker)

  fastify.addHook('onListen', async () => {
    timer = setInterval(() => { worker.run() }, POLL_MS).unref()
  })
  fastify.addHook('onClose', async () => {
    clearInterval(timer)
    endPause()
    await running
  })
}, { name: 'outbox-worker', fastify: '5.x', dependencies: ['clock', 'config', 'draining', 'due-mails', 'mail', 'outbox'] })
