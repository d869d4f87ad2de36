/** What a client asked for, in the terms of the model. A session, a token, a link and a password are known by their text. */
export type Act =
  | { kind: 'log in', password: string, opens?: { session: string, token: string } }
  | { kind: 'use session', session: string }
  | { kind: 'refresh', session: string, token: string, successor?: string }
  | { kind: 'revoke', session: string }
  | { kind: 'change password', session: string, current: string, next: string }
  | { kind: 'mail link', link: string }
  | { kind: 'reset password', link: string, next: string }

/** Unknown is what may have been done or not: nobody answered, or with 503. */
export type Outcome = 'ok' | 'refused' | 'unknown'

/** An act and the time in which it was done, in milliseconds of the clients' clock. */
export interface Operation {
  user: string
  /** Who was asked. */
  replica: string
  act: Act
  outcome: Outcome
  invokedAt: number
  /** Infinity while nobody knows: what was not done by then may still be. */
  completedAt: number
}

export function describe ({ user, replica, act, outcome, invokedAt, completedAt }: Operation): string {
  return `${user} at ${replica} from ${invokedAt.toFixed(1)} to ${completedAt.toFixed(1)}: ${JSON.stringify(act)} ${outcome}`
}
