import t from 'tap'
import { parseRole, toRoleBody } from '../../lib/roles.ts'

const ROLE = { name: 'support', scopes: ['users:read', 'audit:read'], description: 'Helps' }

t.test('a role is taken with each scope once', async (t) => {
  t.strictSame(parseRole(ROLE), ROLE)
  t.strictSame(parseRole({ ...ROLE, scopes: ['b', 'a', 'b'] }).scopes, ['b', 'a'])
})

t.test('the bounds of a role belong to it', async (t) => {
  const largest = { name: 'a'.repeat(63), scopes: Array.from({ length: 50 }, (_, index) => String(index).padEnd(64, '~')), description: 'é'.repeat(200) }

  t.strictSame(parseRole(largest), largest)
  t.strictSame(parseRole({ name: 'a', scopes: ['!', '#$%&\'()*+,-./:;<=>?@[]^_`{|}~'], description: '' }).scopes.length, 2)
})

const refused = [
  ...['', 'A', '1a', '-a', 'a_', 'a b', 'a\n', 'ä', 'a'.repeat(64)].map((name) => ({ changes: { name }, message: /name of the role/ })),
  { changes: { scopes: Array.from({ length: 51 }, () => 'a') }, message: /at most 50 scopes/ },
  ...['', ' ', 'a b', 'a"', 'a\\', 'a\n', 'ä', '\x7F', 'a'.repeat(65)].map((scope) => ({ changes: { scopes: ['ok', scope] }, message: /in a scope/ })),
  { changes: { description: 'a'.repeat(201) }, message: /at most 200 characters in the description/ },
  ...['a\nb', '\0', '\u202E', '\u2028', '\uD800'].map((description) => ({ changes: { description }, message: /out of the description/ }))
]
for (const [index, { changes, message }] of refused.entries()) {
  t.test(`what can not be a role (${index}: ${Object.keys(changes).join()}) is refused with what to change`, async (t) => {
    t.throws(() => parseRole({ ...ROLE, ...changes }), { name: 'ValidationError', message })
  })
}

t.test('a role is shown with whether it is built in', async (t) => {
  t.strictSame(toRoleBody(ROLE), { ...ROLE, built_in: false })
  t.equal(toRoleBody({ ...ROLE, name: 'user' }).built_in, true)
  t.equal(toRoleBody({ ...ROLE, name: 'admin' }).built_in, true)
})
