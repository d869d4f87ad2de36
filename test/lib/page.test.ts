import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { parseCursor } from '../../lib/cursor.ts'
import { readLimit, toPage } from '../../lib/page.ts'

t.test('Only plain digits are read as the limit', async (t) => {
  const cases: Array<[text: unknown, limit: unknown]> = [
    ['1', 1], ['050', 50], ['100', 100], ['999', 999],
    ['', ''], ['-1', '-1'], ['1.5', '1.5'], ['1e1', '1e1'], ['0x10', '0x10'], [' 5', ' 5'], ['5\n', '5\n'], ['٣', '٣'], ['1000000000', '1000000000'], [['1', '2'], ['1', '2']], [undefined, undefined]
  ]
  for (const [text, limit] of cases) {
    const query = { limit: text, cursor: '7' }

    await readLimit({ query } as unknown as FastifyRequest)

    t.strictSame(query, { limit, cursor: '7' })
  }
})

t.test('A page goes on after its last item if more was found', async (t) => {
  const toBody = (item: number): string => `item ${item}`
  const pageOf = (found: number[]) => toPage(found, 2, toBody, (item) => [item])

  t.strictSame(pageOf([]), { items: [], next_cursor: null })
  t.strictSame(pageOf([1]), { items: ['item 1'], next_cursor: null })
  t.strictSame(pageOf([1, 2]), { items: ['item 1', 'item 2'], next_cursor: null })
  const { items, next_cursor: cursor } = pageOf([1, 2, 3])
  t.strictSame(items, ['item 1', 'item 2'])
  t.strictSame(parseCursor(cursor ?? '', ['number']), [2])
})
