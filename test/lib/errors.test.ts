import t from 'tap'
import { ForbiddenError, OAuthError, PublicError, StartupError, UnavailableError, ValidationError, WeakPasswordError } from '../../lib/errors.ts'

const cause = new Error('connection reset')

const errors = [
  {
    error: new PublicError(404, 'not_found', 'There is no such user'),
    says: { name: 'PublicError', statusCode: 404, code: 'not_found', message: 'There is no such user', headers: {} }
  },
  {
    error: new PublicError(405, 'method_not_allowed', 'Use GET', { allow: 'GET' }, { cause }),
    says: { name: 'PublicError', statusCode: 405, code: 'method_not_allowed', message: 'Use GET', headers: { allow: 'GET' }, cause }
  },
  {
    error: new OAuthError('invalid_grant', 'Incorrect username or password'),
    says: { name: 'OAuthError', statusCode: 400, code: 'invalid_grant', message: 'Incorrect username or password', headers: {} }
  },
  {
    error: new OAuthError('invalid_client', 'Unknown client', { statusCode: 401, headers: { 'www-authenticate': 'Basic' } }),
    says: { name: 'OAuthError', statusCode: 401, code: 'invalid_client', message: 'Unknown client', headers: { 'www-authenticate': 'Basic' } }
  },
  {
    error: new ValidationError('full_name is too long'),
    says: { name: 'ValidationError', statusCode: 400, code: 'validation_failed', message: 'full_name is too long', headers: {} }
  },
  {
    error: new ForbiddenError('beyond_own_scopes', 'Not for you', ['keys:write'], { 'x-why': 'scopes' }),
    says: { name: 'ForbiddenError', statusCode: 403, code: 'beyond_own_scopes', message: 'Not for you', headers: { 'x-why': 'scopes' } }
  },
  {
    error: new WeakPasswordError('The password is too short'),
    says: { name: 'WeakPasswordError', statusCode: 400, code: 'weak_password', message: 'The password is too short', headers: {} }
  },
  {
    error: new UnavailableError('Try again later', 3, { cause }),
    says: { name: 'UnavailableError', statusCode: 503, code: 'temporarily_unavailable', message: 'Try again later', headers: { 'retry-after': '3' }, cause }
  }
]
for (const { error, says } of errors) {
  t.test(`a ${says.name} with status ${says.statusCode} tells the caller what the contract fixes`, async (t) => {
    const { name, statusCode, code, message, headers } = error

    t.strictSame({ name, statusCode, code, message, headers, ...(error.cause === undefined ? {} : { cause: error.cause }) }, says)
    t.type(error, PublicError)
  })
}

t.test('the cause of an error is in none of the parts that are public', async (t) => {
  const { statusCode, code, message, headers } = new UnavailableError('Try again later', 3, { cause })

  t.notMatch(JSON.stringify({ statusCode, code, message, headers }), cause.message)
})

t.test('a StartupError is for the operator and never for a caller', async (t) => {
  const error = new StartupError('The settings are wrong', { cause })

  t.equal(error.name, 'StartupError')
  t.equal(error.message, 'The settings are wrong')
  t.equal(error.cause, cause)
  t.notOk(error instanceof PublicError)
})

t.test('Nobody finds out where what the caller is told was thrown, which takes time under a flood, and other errors say it still', async (t) => {
  t.notMatch(errors.map(({ error }) => error.stack).join(), /\n +at /)
  t.match(new Error('a fault').stack, /\n +at /)
})
