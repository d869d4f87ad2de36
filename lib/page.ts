import type { FastifyRequest } from 'fastify'
import { formatCursor } from './cursor.ts'

/** A preValidation hook: in a URL every number is text, and only plain digits are taken for one. */
export async function readLimit ({ query }: FastifyRequest): Promise<void> {
  const values = query as Record<string, unknown>
  if (typeof values.limit === 'string' && /^[0-9]{1,3}$/.test(values.limit)) values.limit = Number(values.limit)
}

/**
 * A page from what was found for it.
 *
 * @param found one more than `limit` if there are more
 * @param position what the next page goes on after
 */
export function toPage<Item, Body> (found: readonly Item[], limit: number, toBody: (item: Item) => Body, position: (item: Item) => ReadonlyArray<string | number>): { items: Body[], next_cursor: string | null } {
  const last = found.length > limit ? found[limit - 1] : undefined
  return { items: found.slice(0, limit).map(toBody), next_cursor: last === undefined ? null : formatCursor(position(last)) }
}
