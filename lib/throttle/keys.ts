import { canonicalIdentifier, canonicalUsername } from '../identifiers.ts'
import { RULES, type Rule, type RuleName } from './rules.ts'

/** A counter: what is counted by which rule. */
export interface Counter {
  /** Tells nothing about what is counted, since people type passwords where a name belongs. */
  key: string
  rule: Rule
  /** For the operator: the user whom it is about, if there is one, and the network. */
  userId?: string
  network?: string
}

/** A counter of failures with an account. */
export interface AccountCounter extends Counter {
  /** That it is full must not show: it would tell that a name and an address are one user's. */
  isHidden: boolean
}

/** Who tries to log in. */
export interface Applicant {
  /** What was typed as the username. */
  identifier: string
  userId: string | undefined
  network: string
}

/** The name and the address of a user, canonical. */
export interface Names {
  username: string
  email_key: string | null
}

export interface ThrottleKeys {
  /** All that a failure counts for. */
  ofApplicant (applicant: Applicant): AccountCounter[]
  ofNetwork (network: string): Counter
  /** @param address canonical */
  ofMailAddress (address: string): Counter
  /** Apart from what strangers ask for, who could keep administrators from writing to somebody. */
  ofMailByAdmin (address: string): Counter
  ofMailNetwork (network: string): Counter
  /** The keys of what is counted under these names, wherever it came from. */
  ofNames (names: Names): string[]
}

// Far more than any identifier has.
const MAX_CHARACTERS = 1024

/** All ways to write an identifier are one, and so are those that differ in what nobody can have in one. */
function canonicalText (typed: string): string {
  const text = typed.slice(0, MAX_CHARACTERS)
  return canonicalIdentifier(text)?.value ?? canonicalUsername(text).trim()
}

/** @param pseudonym gives a text that leads nowhere and is the same each time */
export function createThrottleKeys (pseudonym: (text: string) => string): ThrottleKeys {
  const keyOf = (rule: RuleName, ...subject: string[]): string => pseudonym(JSON.stringify([rule, ...subject]))

  return {
    ofApplicant ({ identifier, userId, network }) {
      const typed = canonicalText(identifier)
      const about = userId === undefined ? {} : { userId }
      // Nobody is counted twice too, so that it is as much work.
      const somebody = userId === undefined ? ['nobody', typed] : ['user', userId]
      return [
        { rule: RULES.account_network, key: keyOf('account_network', 'typed', typed, network), isHidden: false, network, ...about },
        { rule: RULES.account_network, key: keyOf('account_network', ...somebody, network), isHidden: true, network, ...about },
        { rule: RULES.account, key: keyOf('account', 'typed', typed), isHidden: false, ...about },
        { rule: RULES.account, key: keyOf('account', ...somebody), isHidden: true, ...about },
        { ...this.ofNetwork(network), isHidden: false }
      ]
    },

    ofNetwork: (network) => ({ rule: RULES.network, key: keyOf('network', network), network }),

    ofMailAddress: (address) => ({ rule: RULES.mail_address, key: keyOf('mail_address', address) }),

    ofMailByAdmin: (address) => ({ rule: RULES.mail_address, key: keyOf('mail_address', 'administrator', address) }),

    ofMailNetwork: (network) => ({ rule: RULES.mail_network, key: keyOf('mail_network', network), network }),

    ofNames ({ username, email_key: email }) {
      const byAddress = email === null ? [] : [keyOf('account', 'typed', email), this.ofMailAddress(email).key, this.ofMailByAdmin(email).key]
      return [keyOf('account', 'typed', username), ...byAddress]
    }
  }
}
