import t from 'tap'
import { createFirstLines } from '../../lib/first-lines.ts'
import { readEntry } from '../../lib/import-entry.ts'

const line = (number: number, text: string | undefined) => ({ number, bytes: text === undefined ? undefined : Buffer.from(text), readBytes: 0 })

t.test('readEntry gives users and reasons with the numbers of their lines', async (t) => {
  const firstLines = createFirstLines()
  t.teardown(() => { firstLines.close() })
  const lines = [
    line(1, '{"username":"ada","email":"ada@example.com"}'),
    line(2, ' '),
    line(3, '{"username":"ben","email":"ADA@example.com"}'),
    line(4, '{"username":"ADA","email":"other@example.com"}'),
    line(5, '{"username":"b c"}'),
    line(6, undefined),
    line(7, '{"username":"ced"}'),
    line(8, '{"username":"ada.example.com"}')
  ]

  t.match(lines.map((line) => readEntry(line, firstLines)), [
    { line: 1, user: { username: 'ada' } },
    undefined,
    { line: 3, reason: 'Line 1 has the same e-mail address' },
    { line: 4, reason: 'Line 1 has the same username' },
    { line: 5, reason: 'Use only letters, digits, dots, underscores and hyphens in the username' },
    { line: 6, reason: 'Use at most 16384 bytes in a line' },
    { line: 7, user: { username: 'ced' } },
    { line: 8, user: { username: 'ada.example.com' } }
  ])
})

t.test('readEntry lets a line that is refused keep no name from another', async (t) => {
  const firstLines = createFirstLines()
  t.teardown(() => { firstLines.close() })

  readEntry(line(1, '{"username":"ada","password_hash":"hunter2"}'), firstLines)

  t.match(readEntry(line(2, '{"username":"ada"}'), firstLines), { line: 2, user: { username: 'ada' } })
})

t.test('readEntry takes no fault of the machine for one of the line', async (t) => {
  const firstLines = { find: () => { throw new Error('the disk is full') }, close: () => {} }

  t.throws(() => readEntry(line(1, '{"username":"ada"}'), firstLines), { message: 'the disk is full' })
})
