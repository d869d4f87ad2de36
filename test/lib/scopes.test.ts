import t from 'tap'
import { OAuthError } from '../../lib/errors.ts'
import { ALL_SCOPES, formatScope, intersectScopes, MAX_SCOPE_LENGTH, parseScope, SCOPES, USER_SCOPES } from '../../lib/scopes.ts'

t.test('every scope is described in one line', async (t) => {
  t.strictSame(ALL_SCOPES, [
    'profile', 'account', 'users:read', 'users:write', 'roles:read', 'roles:write', 'audit:read', 'keys:read', 'keys:write'
  ])
  t.strictSame(Object.keys(SCOPES), ALL_SCOPES)
  for (const description of Object.values(SCOPES)) t.match(description, /^[A-Z][a-z, ]+$/)
})

t.test('every user may read and change his own account', async (t) => {
  t.strictSame(USER_SCOPES, ['profile', 'account'])
})

t.test('parseScope reads', async (t) => {
  const accepted = [
    { name: 'one scope', text: 'profile', scopes: ['profile'] },
    { name: 'several scopes in their order', text: 'users:read profile', scopes: ['users:read', 'profile'] },
    { name: 'duplicates as one', text: 'a b a', scopes: ['a', 'b'] },
    { name: 'every character of the syntax', text: '! #[ ]~', scopes: ['!', '#[', ']~'] },
    { name: 'names of Object.prototype like all other names', text: '__proto__ constructor', scopes: ['__proto__', 'constructor'] },
    { name: 'the longest scope', text: 'a'.repeat(MAX_SCOPE_LENGTH), scopes: ['a'.repeat(512)] }
  ]
  for (const { name, text, scopes } of accepted) {
    t.test(name, async (t) => {
      t.strictSame(parseScope(text), scopes)
    })
  }
})

t.test('parseScope refuses', async (t) => {
  const refused = [
    { name: 'nothing', text: '' },
    { name: 'a space', text: ' ' },
    { name: 'a leading space', text: ' a' },
    { name: 'a trailing space', text: 'a ' },
    { name: 'two spaces in a row', text: 'a  b' },
    { name: 'a tab', text: 'a\tb' },
    { name: 'a line break at the end', text: 'a\n' },
    { name: 'a quote', text: 'a"b' },
    { name: 'a backslash', text: 'a\\b' },
    { name: 'NUL', text: 'a\0' },
    { name: 'DEL', text: 'a\x7f' },
    { name: 'a character outside ASCII', text: 'é' },
    { name: 'one character too many', text: 'a'.repeat(MAX_SCOPE_LENGTH + 1) },
    { name: 'too many scopes', text: 'a '.repeat(5000) + 'a' }
  ]
  for (const { name, text } of refused) {
    t.test(name, async (t) => {
      t.throws(() => parseScope(text), new OAuthError('invalid_scope', 'The scope is not valid'))
    })
  }
})

t.test('formatScope writes what parseScope reads', async (t) => {
  t.equal(formatScope(['profile', 'users:read']), 'profile users:read')
  t.equal(formatScope(new Set(['profile'])), 'profile')
  t.equal(formatScope([]), '')
})

t.test('intersectScopes keeps what is requested and allowed', async (t) => {
  const cases = [
    { requested: ['users:read', 'profile'], allowed: ['profile', 'account', 'users:read'], granted: ['users:read', 'profile'] },
    { requested: ['profile', 'keys:write'], allowed: ['profile'], granted: ['profile'] },
    { requested: ['profile', 'profile'], allowed: ['profile', 'profile'], granted: ['profile'] },
    { requested: ['Profile'], allowed: ['profile'], granted: [] },
    { requested: [], allowed: ['profile'], granted: [] },
    { requested: ['profile'], allowed: [], granted: [] }
  ]
  for (const { requested, allowed, granted } of cases) {
    t.strictSame(intersectScopes(requested, allowed), granted)
  }
})
