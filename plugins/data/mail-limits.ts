import fp from 'fastify-plugin'
import type { Email } from '../../lib/identifiers.ts'
import { networkOf } from '../../lib/network.ts'
import type { Counter, ThrottleKeys } from '../../lib/throttle/keys.ts'
import { waitMs } from '../../lib/throttle/rules.ts'
import { tooManyMails } from '../../lib/throttle/slow-down.ts'
import type { Db } from './database.ts'
import type { Outbox } from './outbox.ts'
import type { Throttles } from './throttles.ts'

/** Asked for without a log-in. */
export type AnonymousMailKind = 'password_reset' | 'email_verification' | 'address_in_use'
type MailKind = AnonymousMailKind | 'password_reset_by_admin' | 'invitation' | 'email_change'

/**
 * How many mails may be asked for. What is counted is counted in the transaction that owes the mail. Notices of what
 * has happened are never limited. The last mail to an address is kept for a link for a new password: else a stranger could
 * ask for mails that bring none, or of which none is sent, and keep the owner from the way back into the account.
 * What administrators ask for is counted apart, or a stranger could keep them from inviting somebody.
 */
export interface MailLimits {
  /** Waits for nobody, so that who is refused takes nothing from others. @throws PublicError `slow_down` (429) while the network has asked for too many */
  check (ip: string | undefined): Promise<void>
  /** Counts a request. @throws PublicError `slow_down` (429) when the network has asked for too many */
  countRequest (tx: Db, ip: string | undefined): Promise<void>
  /** Counts a mail to the canonical address. @throws PublicError `slow_down` (429) when it has had its share */
  countMail (tx: Db, kind: MailKind, address: string): Promise<void>
  /**
   * Owes the mail that somebody without a log-in has asked for. If the address has had its share, it is not owed and
   * nobody is told.
   *
   * @throws PublicError `slow_down` (429) when the network has asked for too many
   */
  owe (tx: Db, kind: AnonymousMailKind, email: Email, ip: string | undefined): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    mailLimits: MailLimits
  }
}

const BY_ADMIN: readonly MailKind[] = ['password_reset_by_admin', 'invitation']

interface Parts {
  outbox: Outbox
  throttles: Throttles
  throttleKeys: ThrottleKeys
}

export function createMailLimits ({ outbox, throttles, throttleKeys }: Parts, { now }: { now: () => number }): MailLimits {
  const isWithin = async (tx: Db, counter: Counter): Promise<boolean> => await throttles.count(tx, counter, counter.rule.free) !== undefined

  function counterOf (kind: MailKind, address: string): Counter {
    if (BY_ADMIN.includes(kind)) return throttleKeys.ofMailByAdmin(address)
    const { rule, ...counter } = throttleKeys.ofMailAddress(address)
    return { ...counter, rule: kind === 'password_reset' ? rule : { ...rule, free: rule.free - 1 } }
  }

  async function require (tx: Db, counter: Counter): Promise<void> {
    const { key, rule } = counter
    if (!await isWithin(tx, counter)) throw tooManyMails(waitMs(rule, await throttles.find(tx, key), now()))
  }

  return {
    async check (ip) {
      const { key, rule } = throttleKeys.ofMailNetwork(networkOf(ip))
      const states = await throttles.read([key])
      const wait = waitMs(rule, states.get(key), now())
      if (wait > 0) throw tooManyMails(wait)
    },

    async countRequest (tx, ip) {
      await require(tx, throttleKeys.ofMailNetwork(networkOf(ip)))
    },

    async countMail (tx, kind, address) {
      await require(tx, counterOf(kind, address))
    },

    async owe (tx, kind, { address, canonical }, ip) {
      await this.countRequest(tx, ip)
      if (await isWithin(tx, counterOf(kind, canonical))) await outbox.add(tx, { kind, email: address })
    }
  }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('mailLimits', createMailLimits(fastify, { now: () => clock.now() }))
}, { name: 'mail-limits', fastify: '5.x', dependencies: ['clock', 'outbox', 'throttle-keys', 'throttles'] })
