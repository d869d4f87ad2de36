import type { Migration } from 'kysely/migration'
import * as initial from './0001-initial.ts'
import * as accounts from './0002-accounts.ts'
import * as throttles from './0003-throttles.ts'
import * as oneTokenEach from './0004-one-token-each.ts'
import * as announcedChanges from './0005-announced-changes.ts'
import * as loggedChanges from './0006-logged-changes.ts'
import * as liveSessions from './0007-live-sessions.ts'

/** Forward only, in the order of their names. */
export const migrations: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-accounts': accounts,
  '0003-throttles': throttles,
  '0004-one-token-each': oneTokenEach,
  '0005-announced-changes': announcedChanges,
  '0006-logged-changes': loggedChanges,
  '0007-live-sessions': liveSessions
}
