import { canonicalIdentifier, canonicalUsername } from './identifiers.ts'

/** Canonical identifiers, ordered by their characters: `from` is the first that belongs, `to` the first that does not. */
export interface KeyRange {
  from: string
  to: string
}

// No text holds it, so that it comes after all that can follow.
const LAST = '\u{10FFFF}'

/** The usernames and the e-mail addresses that begin like the text, however it is spelled. Never throws. */
export function rangesOfPrefix (text: string): { usernames: KeyRange, emails: KeyRange } {
  const username = canonicalUsername(text)
  const identifier = canonicalIdentifier(text)
  const email = identifier?.kind === 'email' ? identifier.value : text.toLowerCase()
  return {
    // A sigma that is the last letter is written in another form when more letters follow; that comes right after it.
    usernames: { from: username, to: username.replace(/ς$/, 'σ') + LAST },
    emails: { from: email, to: email + LAST }
  }
}
