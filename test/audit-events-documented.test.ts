import { readFileSync } from 'node:fs'
import t from 'tap'
import { AUDIT_EVENTS } from '../lib/audit-events.ts'

t.test('docs/operations.md tells of every type of audit event, and of no other', async (t) => {
  const text = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8')
  const section = text.slice(text.indexOf('## Audit events'), text.indexOf('## Behind a gateway'))

  const rows = [...section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, type, meaning]) => [type, meaning])

  t.strictSame(rows, Object.entries(AUDIT_EVENTS))
})
