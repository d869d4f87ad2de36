import fp from 'fastify-plugin'
import { networkOf } from '../../lib/network.ts'
import { createInFlight, type Reservation } from '../../lib/throttle/in-flight.ts'
import type { AccountCounter } from '../../lib/throttle/keys.ts'
import { failuresOf, waitMs, type CounterState, type RuleName } from '../../lib/throttle/rules.ts'
import type { Refusal } from '../../lib/throttle/slow-down.ts'
import type { AuditContext } from '../data/audit.ts'
import type { Db } from '../data/database.ts'
import { REMEMBER_AGAIN_MS } from '../data/known-networks.ts'
import type { PasswordCaller } from './password-hasher.ts'

/** Who wants a password checked. */
export interface Applicant {
  /** What was typed as the username. */
  identifier: string
  /** Whose that is, if anybody's. */
  userId: string | undefined
  context: AuditContext
  /** Aborted when the client hangs up. */
  signal?: AbortSignal
  /** Makes the error to throw. */
  refusal: Refusal
  /** Whether the caller is logged in as the user, so that it may show what is counted for the user. */
  isLoggedIn?: boolean
}

/** One check of a password, from before its hash until it is counted. */
export interface Attempt {
  /** For the hasher: judges anew when the hash is about to begin, and reserves the place of this attempt. */
  caller: PasswordCaller
  /**
   * The rule that holds the attempt up without a word. Whatever the password is, the answer has to be the one to a wrong
   * one: a refusal would tell that a name and an address are one user's.
   */
  readonly heldUpBy: RuleName | undefined
  /** Whether there were failures that a good password makes forgotten. */
  readonly hasFailures: boolean
  /** Counts the failure, in one transaction with what records it. */
  failed (record: (tx: Db) => Promise<void>): Promise<void>
  /** Whether `succeeded` has anything to do, which mostly it has not. */
  readonly hasEffect: boolean
  /** Forgets failures and remembers the network, in the transaction that opens the session. */
  succeeded (tx: Db): Promise<void>
}

export interface Throttle {
  /**
   * Lets somebody have a password checked, unless too many failures came before. An attempt that neither failed nor
   * succeeded, such as one that found no time for its hash, counts for nothing.
   *
   * @throws what `refusal` makes
   */
  attempt<Result> (applicant: Applicant, work: (attempt: Attempt) => Promise<Result>): Promise<Result>
}

declare module 'fastify' {
  interface FastifyInstance {
    throttle: Throttle
  }
}

// The attempt that is in the way is over soon.
const UNTIL_OTHERS_END_MS = 1000
// How long counters that were read hold, in milliseconds, unless this process has counted since. Others may have.
const FRESH_MS = 250

const keysOf = (counters: readonly AccountCounter[]): string[] => counters.map(({ key }) => key)

export default fp(async (fastify) => {
  const { clock, knownNetworks, throttleKeys, throttles } = fastify
  const inFlight = createInFlight({ now: () => clock.now() })

  /** How long the counter holds somebody up who comes, or whose attempt has begun, in milliseconds. */
  function waitOf ({ key, rule }: AccountCounter, state: CounterState | undefined, reservation: Reservation | undefined): number {
    const hasRoom = reservation?.hasRoom(key, failuresOf(rule, state, clock.now()), rule.free) ?? true
    return hasRoom ? waitMs(rule, state, clock.now()) : UNTIL_OTHERS_END_MS
  }

  fastify.decorate('throttle', {
    async attempt ({ identifier, userId, context, signal, refusal, isLoggedIn = false }, work) {
      const network = networkOf(context.ip)
      const knownAt = await knownNetworks.find(userId ?? '', network)
      const isKnown = knownAt !== undefined
      const counters = throttleKeys.ofApplicant({ identifier, userId, network }).filter(({ rule }) => !isKnown || rule.name !== 'account')
      let seen: { states: ReadonlyMap<string, CounterState>, at: number, failures: number }
      let heldUpBy: RuleName | undefined
      let reservation: Reservation | undefined
      let claimed: Promise<boolean> | undefined

      async function look (): Promise<void> {
        const [at, failures] = [clock.now(), inFlight.failures]
        seen = { at, failures, states: await throttles.read(keysOf(counters)) }
        judge()
      }

      const isFresh = (): boolean => inFlight.failures === seen.failures && clock.now() - seen.at < FRESH_MS

      /** Throws where a wait may show, and notes where it may not. */
      function judge (): void {
        const waits = counters.map((counter) => ({ ...counter, ms: waitOf(counter, seen.states.get(counter.key), reservation) })).filter(({ ms }) => ms > 0)
        const shown = waits.filter(({ isHidden }) => !isHidden || isLoggedIn)
        if (shown.length > 0) throw refusal(Math.max(...shown.map(({ ms }) => ms)))
        heldUpBy = waits[0]?.rule.name
      }

      // Who is held up has made no guess, but what shows is counted for him as for everybody.
      const counted = (): AccountCounter[] => counters.filter(({ isHidden }) => !isHidden || heldUpBy === undefined)

      /** After a wait one is let in, whichever process he asks. While the hash runs this takes no time that would tell of it. */
      function claimWaits (): void {
        const over = counted().flatMap(({ key, rule }) => {
          const state = seen.states.get(key)
          return state !== undefined && failuresOf(rule, state, clock.now()) >= rule.free ? [{ key, rule, anchoredAt: state.anchoredAt }] : []
        })
        if (over.length === 0) return
        claimed = throttles.claim(over)
        claimed.catch(() => {}) // thrown when the hash is done
      }

      const isNetworkNews = (): boolean => knownAt === undefined || knownAt <= clock.now() - REMEMBER_AGAIN_MS
      const forgivable = (): string[] => keysOf(counters.filter(({ key, rule }) => rule.name === 'account_network' && seen.states.has(key)))

      const attempt: Attempt = {
        caller: {
          network,
          isKnown,
          ...signal !== undefined && { signal },
          begin: async () => {
            reservation = inFlight.begin(keysOf(counters))
            // A look while the hash has its slot already leaves a core without work.
            if (isFresh()) judge()
            else await look()
            reservation.leave(keysOf(counters.filter((counter) => !counted().includes(counter))))
            claimWaits()
          },
          checked: async (isRight) => {
            // Another process was asked in the same moment.
            if (claimed !== undefined && !await claimed) await look()
            // Others would guess meanwhile, and a right password is no guess.
            if (isRight) reservation?.end()
            else reservation?.fail()
          }
        },

        get heldUpBy () { return heldUpBy },
        get hasFailures () { return forgivable().length > 0 },
        get hasEffect () { return this.hasFailures || isNetworkNews() },

        async failed (record) {
          // At once: the transaction may have to wait, and others would guess meanwhile.
          reservation?.fail()
          await throttles.countFailure(counted(), context, record)
          reservation?.counted()
        },

        async succeeded (tx) {
          await throttles.remove(tx, forgivable())
          if (userId !== undefined && isNetworkNews()) await knownNetworks.add(tx, userId, network)
        }
      }

      await look()
      try {
        return await work(attempt)
      } finally {
        reservation?.end()
      }
    }
  })
}, { name: 'throttle', fastify: '5.x', dependencies: ['clock', 'known-networks', 'throttle-keys', 'throttles'] })
