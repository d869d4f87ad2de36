import { Type, type TSchema } from '@sinclair/typebox'
import { Nullable } from './values.ts'

/** How many items a page has whose `limit` was left out. */
export const DEFAULT_LIMIT = 50

/** The members of a query that asks for a page. The route reads `limit` with the hook `readLimit`. */
export const PAGE_QUERY = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: `The most items to give; ${DEFAULT_LIMIT} if left out`, examples: [50] })),
  // A cursor holds an identifier, an address or a username, which is at most 254 bytes, and a time.
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512, pattern: '^[A-Za-z0-9_-]+$', description: '`next_cursor` of the page before; left out for the first page' }))
}

/** A page of a list that goes on at `next_cursor`. */
export function PageSchema<Item extends TSchema> (item: Item, title: string) {
  return Type.Object({
    items: Type.Array(item, { description: 'At most `limit` items' }),
    next_cursor: Nullable({ description: 'The `cursor` of the next page; null on the last one', examples: [null] })
  }, { title })
}
