import t from 'tap'
import { describeViolation } from '../../lib/violation.ts'

const additional = (name: unknown) => ({ keyword: 'additionalProperties', params: { additionalProperty: name } })
const ADDITIONAL = 'must NOT have additional properties'

t.test('A member that is not known is named, where that can be a name', async (t) => {
  t.equal(describeViolation(additional('fullname'), `body ${ADDITIONAL}`), 'body must not have fullname')
  t.equal(describeViolation(additional('q.x-1'), `querystring/filter ${ADDITIONAL}`), 'querystring.filter must not have q.x-1')
  for (const name of ['a'.repeat(65), '', '1', 'correct horse', '<b>', 'é', '$x']) {
    t.equal(describeViolation(additional(name), `body ${ADDITIONAL}`), `body ${ADDITIONAL}`, name)
  }
  t.equal(describeViolation(additional('a'.repeat(64)), `body ${ADDITIONAL}`), `body must not have ${'a'.repeat(64)}`)
})

t.test('The values that are allowed are listed', async (t) => {
  const violation = { keyword: 'enum', params: { allowedValues: ['login', 'logout'] } }

  t.equal(describeViolation(violation, 'querystring/type must be equal to one of the allowed values'), 'querystring.type must be one of login, logout')
})

t.test('Any other rule is told with its member', async (t) => {
  t.equal(describeViolation({ keyword: 'maxLength', params: { limit: 5 } }, 'body/a/b must NOT have more than 5 characters'), 'body.a.b must NOT have more than 5 characters')
})
