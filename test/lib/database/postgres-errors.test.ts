import pg from 'pg'
import t from 'tap'
import { databaseUnavailable } from '../../../lib/database/errors.ts'
import { isConflict, isConnectionFault, startupError, translate } from '../../../lib/database/postgres-errors.ts'
import { StartupError } from '../../../lib/errors.ts'
import { UNAVAILABLE } from './open.ts'

function fault (code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('a fault', 0, 'error'), { code })
}

const ofConnection = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

const passing = [
  { code: '08006', name: 'a connection that failed', ends: true },
  { code: '08P01', name: 'what no server says', ends: true },
  { code: '0A000', name: 'a prepared statement that no longer fits', ends: true },
  { code: '25006', name: 'a server that is a standby by now', ends: false },
  { code: '25P03', name: 'a transaction that was idle for too long', ends: true },
  { code: '26000', name: 'a prepared statement that is gone', ends: true },
  { code: '40001', name: 'work that can not be put in an order', ends: false },
  { code: '40P01', name: 'a deadlock', ends: false },
  { code: '42P05', name: 'a prepared statement that was there already', ends: true },
  { code: '53100', name: 'a full disk', ends: false },
  { code: '53300', name: 'too many connections', ends: false },
  { code: '55P03', name: 'a lock that was not to be had', ends: false },
  { code: '57014', name: 'a statement that took too long', ends: false },
  { code: '57P01', name: 'a server that stops', ends: true },
  { code: '57P03', name: 'a server that starts', ends: true },
  { code: '58030', name: 'a disk that can not be read', ends: false }
]
for (const { code, name, ends } of passing) {
  t.test(`${code}, ${name}, may pass, and the connection is ${ends ? 'not used again' : 'still good'}`, async (t) => {
    const cause = fault(code)

    t.match(translate(cause), { ...UNAVAILABLE, cause })
    t.equal(isConnectionFault(cause), ends)
  })
}

for (const { code, name } of [
  { code: '23505', name: 'a value that is there already' },
  { code: '25P02', name: 'a transaction that has failed before' },
  { code: '42501', name: 'a right that is missing' },
  { code: '42703', name: 'a column that does not exist' },
  { code: '55000', name: 'what is not in the state for it' },
  { code: 'XX000', name: 'a fault of the server' }
]) {
  t.test(`${code}, ${name}, does not pass by itself and is told as it is, and the connection is still good`, async (t) => {
    const cause = fault(code)

    t.equal(translate(cause), cause)
    t.equal(isConnectionFault(cause), false)
  })
}

t.test('What is no answer of the server', async (t) => {
  t.test('is of the connection', async (t) => {
    t.match(translate(ofConnection), { ...UNAVAILABLE, cause: ofConnection })
    t.equal(isConnectionFault(ofConnection), true)
  })

  for (const cause of [new TypeError('no function'), new RangeError('too deep'), new StartupError('no schema'), 'a text']) {
    t.test(`but for ${String(cause)}, and nobody knows what the connection is doing`, async (t) => {
      t.equal(translate(cause), cause)
      t.equal(isConnectionFault(cause), true)
    })
  }
})

t.test('An act is done again after a conflict, told as it is or as unavailable, and after nothing else', async (t) => {
  for (const code of ['40001', '40P01', '23503']) {
    t.equal(isConflict(fault(code)), true, code)
    t.equal(isConflict(databaseUnavailable({ cause: fault(code) })), true, `${code} as a cause`)
  }
  for (const error of [...['23505', '57014', '53300', '55P03', '42501'].map(fault), ofConnection, databaseUnavailable({ cause: ofConnection }), new Error('40001'), undefined]) {
    t.equal(isConflict(error), false)
  }
})

const sentences = [
  { code: '08001', message: /can't be reached/ },
  { code: '25006', message: /is a standby/ },
  { code: '28000', message: /refuses the user or the password/ },
  { code: '28P01', message: /refuses the user or the password/ },
  { code: '3D000', message: /does not exist/ },
  { code: '3F000', message: /has no schema/ },
  { code: '42501', message: /does not let the user of DATABASE_URL make tables/ },
  { code: '53300', message: /has no room/ },
  { code: '55P03', message: /its tables are locked/ },
  { code: '57P03', message: /is starting or stopping/ }
]
for (const { code, message } of sentences) {
  t.test(`At the start ${code} is one sentence, told as it is or as unavailable`, async (t) => {
    const cause = fault(code)

    for (const error of [cause, databaseUnavailable({ cause })]) t.match(startupError(error), { name: 'StartupError', message, cause })
  })
}

t.test('At the start a connection that can not be had is one sentence', async (t) => {
  t.match(startupError(databaseUnavailable({ cause: ofConnection })), { name: 'StartupError', message: /^The database can't be reached/, cause: ofConnection })
})

t.test('At the start everything else is told as it is', async (t) => {
  for (const error of [fault('42P07'), fault('40P01'), fault('25P03'), new TypeError('no function'), new StartupError('no schema'), 'a text']) t.equal(startupError(error), error)
})
