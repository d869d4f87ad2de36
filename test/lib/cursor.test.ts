import t from 'tap'
import { formatCursor, parseCursor } from '../../lib/cursor.ts'

t.test('A cursor gives back what was written into it, and fits into a URL', async (t) => {
  for (const values of [[1, 'x'], [0, ''], [Number.MAX_SAFE_INTEGER, 'ζ"\\?&#+/ 馬']] as const) {
    const cursor = formatCursor(values)

    t.match(cursor, /^[A-Za-z0-9_-]+$/)
    t.strictSame(parseCursor(cursor, ['number', 'string']), values)
  }
  t.strictSame(parseCursor(formatCursor(['ada']), ['string']), ['ada'])
  t.strictSame(parseCursor(formatCursor([]), []), [])
})

t.test('What nobody wrote as such a cursor is not valid', async (t) => {
  const texts: Record<string, string> = {
    nothing: '',
    'no JSON': 'ada',
    'cut JSON': '[1,"x"',
    null: 'null',
    'an object': '{"0":1,"1":"x","length":2}',
    'fewer values': '[1]',
    'more values': '[1,"x",2]',
    'another order': '["x",1]',
    'text for a number': '["1","x"]',
    'a number for text': '[1,2]',
    'a fraction': '[1.5,"x"]',
    'a number that is not exact': '[9007199254740993,"x"]',
    'an endless number': '[1e999,"x"]',
    'null for a number': '[null,"x"]',
    'a list for text': '[1,["x"]]',
    'a NUL': '[1,"a\\u0000b"]',
    'a lone surrogate': '[1,"\\ud800"]'
  }
  for (const [name, text] of Object.entries(texts)) {
    t.throws(() => parseCursor(Buffer.from(text).toString('base64url'), ['number', 'string']), { name: 'ValidationError', statusCode: 400, code: 'validation_failed' }, name)
  }
})
