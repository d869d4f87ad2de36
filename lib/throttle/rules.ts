/** How often something may happen before there is a wait, and how long that is. */
export interface Rule {
  name: RuleName
  /** As many are free. */
  free: number
  /** Whether the wait begins with the first one that is counted or with the last one. */
  anchor: 'first' | 'last'
  /** The wait after so many, in milliseconds. */
  delayMs: (failures: number) => number
  /** The count is forgotten so long after its anchor, in milliseconds. */
  forgetMs: number
}

export type RuleName = 'account_network' | 'account' | 'network' | 'mail_address' | 'mail_network'

/** What is counted: failures, or mails. */
export interface CounterState {
  failures: number
  /** Epoch milliseconds. */
  anchoredAt: number
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const FREE_PER_NETWORK = 5

export const RULES: Readonly<Record<RuleName, Rule>> = {
  /** Failures with one account from one network. */
  account_network: {
    name: 'account_network',
    free: FREE_PER_NETWORK,
    anchor: 'last',
    delayMs: (failures) => Math.min(SECOND * 2 ** (failures - FREE_PER_NETWORK), 15 * MINUTE),
    forgetMs: HOUR
  },
  /**
   * Failures with one account from all networks that it was never used from: with one every 45 seconds, there are never
   * more than 100 in any hour (NIST SP 800-63B-4 section 3.2.2 allows no more than 100 in a row).
   */
  account: { name: 'account', free: 20, anchor: 'last', delayMs: () => 45 * SECOND, forgetMs: HOUR },
  /** Failures from one network, whatever they are about. */
  network: { name: 'network', free: 100, anchor: 'first', delayMs: () => MINUTE, forgetMs: MINUTE },
  /** Mails to one address that somebody asked for. */
  mail_address: { name: 'mail_address', free: 3, anchor: 'last', delayMs: () => HOUR, forgetMs: HOUR },
  /** Requests for mails from one network. */
  mail_network: { name: 'mail_network', free: 10, anchor: 'first', delayMs: () => HOUR, forgetMs: HOUR }
}

/**
 * How long the next one has to wait, in milliseconds. A count from the future, after the clock was set back, makes nobody
 * wait longer than one from now would, and is forgotten if it is far away.
 */
export function waitMs ({ free, delayMs, forgetMs }: Rule, state: CounterState | undefined, now: number): number {
  if (state === undefined || state.failures < free || Math.abs(now - state.anchoredAt) >= forgetMs) return 0
  const delay = delayMs(state.failures)
  return Math.max(0, Math.min(delay, state.anchoredAt + delay - now))
}

/** The failures that still count. */
export function failuresOf ({ forgetMs }: Rule, state: CounterState | undefined, now: number): number {
  return state === undefined || Math.abs(now - state.anchoredAt) >= forgetMs ? 0 : state.failures
}
