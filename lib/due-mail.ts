import type { OutboxMessage } from './outbox-message.ts'

const MINUTE = 60 * 1000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const VERIFICATION = { purpose: 'email_verification', page: 'emailVerificationUrl', lifetimeMs: 24 * HOUR, lifetime: '24 hours' } as const
const RESET = { purpose: 'password_reset', page: 'passwordResetUrl', lifetimeMs: 30 * MINUTE, lifetime: '30 minutes' } as const

/** The mails that carry a link: what it is for, where it leads and how long it is good. Links for one purpose make each other void. */
export const MAIL_LINKS = {
  email_verification: VERIFICATION,
  email_change: { ...VERIFICATION, purpose: 'email_change' },
  password_reset: RESET,
  password_reset_by_admin: RESET,
  // A stranger can ask for a new password, and that must not make an invitation void.
  invitation: { ...RESET, purpose: 'invitation', lifetimeMs: 7 * DAY, lifetime: '7 days' },
  email_confirmed: RESET
} as const

export type LinkKind = keyof typeof MAIL_LINKS
export type NoticeKind = Exclude<OutboxMessage['kind'], LinkKind>

/** What an outbox message amounts to when it is sent: who gets it, and with which token. */
export type DueMail =
  | { kind: LinkKind, to: string, username: string, token: string }
  | { kind: NoticeKind, to: string, username: string }

/** A mail as it is sent. */
export interface Mail {
  kind: OutboxMessage['kind']
  /** An address that `parseEmail` took. */
  to: string
  subject: string
  text: string
  html: string
}
