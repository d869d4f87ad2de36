import fc from 'fast-check'

// Where such a text stands in a statement instead of being bound to it, the statement fails or says something else.
const STATEMENTS = ["O'Neill", "x', username = 'root", "x'); drop table users; --", "' or '1'='1", "''", '"', '`', "\\'", '$1', '?', ':id', '@p1', '/*', '%']
const LOCAL_PARTS = ["o'neill", "x'/**/or/**/'1'='1", "'--", "'||'", "''", '`x`', '$1', '?', '%']

const texts = fc.constantFrom(...STATEMENTS)
const emails = fc.constantFrom(...LOCAL_PARTS, 'new').map((part) => `${part}XFRESHX@example.com`)

/** Values that are acceptable for a member with the name, whatever its schema does not say. */
export const BY_NAME: ReadonlyMap<string, fc.Arbitrary<unknown>> = new Map<string, fc.Arbitrary<unknown>>([
  ['email', emails],
  ['full_name', texts],
  ['description', texts],
  ['q', fc.oneof(texts, fc.constantFrom(...LOCAL_PARTS, 'ada'))],
  ['username', fc.constant('uXFRESHX')],
  ['roles', fc.constantFrom([], ['user'], ['XROLEX'])],
  ['scopes', fc.constantFrom([], ['spare:use'], ['profile', "x','y"])],
  ['user_id', fc.constantFrom('XADAIDX', 'XADMINIDX')]
])
