/** The rows as they are stored: text and bigint only, which every engine has; times are epoch milliseconds, a state is a nullable time. */
export interface Tables {
  users: UserRow
  roles: RoleRow
  user_roles: UserRoleRow
  sessions: SessionRow
  signing_keys: SigningKeyRow
  audit_events: AuditEventRow
  locks: LockRow
  one_time_tokens: OneTimeTokenRow
  outbox: OutboxRow
  throttles: ThrottleRow
  known_networks: KnownNetworkRow
}

export interface UserRow {
  id: string
  /** Canonical: unique, and what log-in looks for. */
  username: string
  /** As its owner spells it. */
  email: string | null
  /** Canonical: unique, and what log-in looks for. */
  email_key: string | null
  email_verified_at: number | null
  full_name: string | null
  password_hash: string | null
  /** Counts the passwords; a new hash of the same one does not count. */
  password_version: number
  disabled_at: number | null
  /** Set on the demo user until its password changes. */
  demo_at: number | null
  created_at: number
  updated_at: number
  last_login_at: number | null
}

export interface RoleRow {
  name: string
  /** Separated by spaces. */
  scopes: string
  description: string
}

export interface UserRoleRow {
  user_id: string
  role: string
}

export interface SessionRow {
  id: string
  user_id: string
  client_id: string
  /** What was granted at log-in, separated by spaces. */
  scope: string
  /** Counts the rotations of the refresh token. */
  generation: number
  created_at: number
  last_used_at: number
  /** When the refresh token was replaced the last time. */
  rotated_at: number | null
  idle_expires_at: number
  expires_at: number
  revoked_at: number | null
  ip: string | null
  user_agent: string | null
}

export interface SigningKeyRow {
  /** RFC 7638 thumbprint. */
  kid: string
  alg: string
  /** PKCS #8 in PEM, encrypted under the service secret. */
  private_key: string
  created_at: number
  /** From then on it signs, until a younger one does. */
  activates_at: number
  /** Set when it must not be trusted any more. */
  revoked_at: number | null
}

export interface AuditEventRow {
  id: string
  type: string
  outcome: string
  at: number
  actor_id: string | null
  user_id: string | null
  session_id: string | null
  client_id: string | null
  ip: string | null
  user_agent: string | null
  request_id: string | null
  /** JSON. */
  details: string | null
}

/** A token that a mail carries; it is gone when it was used. */
export interface OneTimeTokenRow {
  /** SHA-256 of the token, in base64url. */
  hash: string
  purpose: string
  user_id: string
  /** The address that the mail went to, as its owner spells it. */
  email: string | null
  /** Of the password at that time: a token does not survive it. */
  password_version: number
  created_at: number
  expires_at: number
}

/** A mail that is still to be sent. */
export interface OutboxRow {
  id: string
  kind: string
  /** JSON, without any token. */
  details: string
  attempts: number
  /** When it is tried (again). */
  due_at: number
  created_at: number
}

/** A count of failures or mails. */
export interface ThrottleRow {
  /** Tells nothing about what is counted. */
  key: string
  rule: string
  /** Whom it is about, if there is such a user. */
  user_id: string | null
  /** Where it came from, if that is counted. */
  network: string | null
  failures: number
  /** The first or the last one, as the rule has it: the wait begins there. */
  anchored_at: number
  /** From then on it counts for nothing. */
  expires_at: number
}

/** A network that the user has logged in from. */
export interface KnownNetworkRow {
  user_id: string
  network: string
  /** To the day. */
  last_login_at: number
}

/** A row that a transaction updates first makes it wait for any other that did. */
export interface LockRow {
  name: string
  taken_at: number
}
