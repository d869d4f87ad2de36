/** A mail that is owed to somebody. It holds no token: that is made when the mail is sent. */
export type OutboxMessage =
  /** Whoever has the address, if its user has not proven it yet, is to prove it. */
  | { kind: 'email_verification', email: string }
  /** The user, unless the password or the address has changed since, is to prove an address that becomes his then. */
  | { kind: 'email_change', userId: string, passwordVersion: number, insteadOf: string | null, email: string }
  /** Whoever has the address, if anybody, gets a link for a new password. */
  | { kind: 'password_reset', email: string }
  /** An administrator has started a reset. */
  | { kind: 'password_reset_by_admin', userId: string }
  /** An administrator has made the user, who is to choose a password. */
  | { kind: 'invitation', userId: string }
  /** The user has proven the address, unless he has another one meanwhile; whoever reads its mails gets the account if it is not his. */
  | { kind: 'email_confirmed', userId: string, email: string }
  /** Somebody tried to take an address that has a user. */
  | { kind: 'address_in_use', email: string }
  /** Notices, to the address that the user had when it happened, with the name that he had. */
  | { kind: 'password_changed' | 'email_change_requested' | 'email_changed' | 'account_deleted', email: string, username: string }
