import { ProblemSchema } from './errors.ts'
import { ALLOW, INSUFFICIENT_SCOPE_CHALLENGE, RETRY_AFTER } from './headers.ts'

/** Answers that many routes describe in the same words. */

export const FAILURES = {
  '4xx': { description: 'The request is not acceptable', headers: ALLOW, ...ProblemSchema },
  '5xx': { description: 'Something went wrong here', ...ProblemSchema }
}

export const NOT_ACCEPTABLE = { description: 'What was sent is not acceptable: `validation_failed`', ...ProblemSchema }

export const BEYOND_OWN_SCOPES = {
  description: 'It would need scopes that you, or your token, do not hold: `beyond_own_scopes`. Or the access token does not allow this: `insufficient_scope`',
  headers: INSUFFICIENT_SCOPE_CHALLENGE,
  ...ProblemSchema
}

export const SLOW_DOWN = { description: 'Too many attempts: `slow_down`; try again after `Retry-After` seconds', headers: RETRY_AFTER, ...ProblemSchema }

export const NETWORK_HAD_MAILS = { description: 'Your network has asked for too many mails: `slow_down`; try again after `Retry-After` seconds', headers: RETRY_AFTER, ...ProblemSchema }

export const ENOUGH_MAILS = { description: 'The address has had its share of mails: `slow_down`; try again after `Retry-After` seconds', headers: RETRY_AFTER, ...ProblemSchema }

/** Where the current password is asked for. */
export const WITH_PASSWORD = {
  403: {
    description: 'The current password is wrong: `wrong_password`. Or the access token does not allow this: `insufficient_scope`',
    headers: INSUFFICIENT_SCOPE_CHALLENGE,
    ...ProblemSchema
  },
  429: SLOW_DOWN,
  503: { description: 'Too many passwords to check at a time, or no database; try again after `Retry-After` seconds', headers: RETRY_AFTER, ...ProblemSchema }
}
