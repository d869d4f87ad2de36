/** Every type of audit event and what it tells. */
export const AUDIT_EVENTS = {
  login: 'A password was checked; a failure names the user only if there is one',
  login_throttled: 'Failures reached a limit; `details` names the rule, and further ones have to wait',
  throttles_cleared: 'What was counted of failures and mails was forgotten by an administrator or the operator',
  logout: 'A session was ended through `/revoke`',
  refresh_token_reuse: 'An old refresh token was used; the session is revoked',
  user_created: 'A user was made by an administrator, by the operator or at the first start',
  user_signed_up: 'Somebody signed up',
  user_imported: 'A user was made by an import',
  user_updated: 'A profile was changed; `details` names the members',
  user_roles_changed: 'The roles of a user were changed',
  user_disabled: 'A user was shut out and the sessions ended',
  user_enabled: 'A disabled user was let in again',
  user_deleted: 'A user was deleted',
  user_password_set: 'The operator set a password and ended the sessions',
  user_password_changed: 'A user changed the password and ended the other sessions; a failure is a wrong current password',
  user_password_reset: 'A mailed link was used to set a password; all sessions ended',
  user_logged_out: 'All sessions of a user were ended',
  session_revoked: 'A user ended one of the own sessions',
  password_reset_requested: 'A mail with a link for a new password was asked for',
  email_verification_requested: 'A mail with a link that proves an address was asked for',
  email_change_requested: 'A user asked for another address, which counts when it is proven',
  email_verified: 'An address was proven by a mailed link',
  mailed_link_refused: 'A mailed link was used that is unknown, too old or void, or was used before',
  role_set: 'A role was made or changed',
  role_deleted: 'A role was deleted',
  authorization_refused: 'Somebody tried what his scopes do not allow, or to take away the last administrator',
  signing_key_rotated: 'A signing key was added; `details` names it, and how many others were `revoked` for it at once'
} as const

export type AuditEventType = keyof typeof AUDIT_EVENTS
