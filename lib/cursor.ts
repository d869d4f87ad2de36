import { ValidationError } from './errors.ts'

interface CursorTypes {
  string: string
  number: number
}

type Kinds = ReadonlyArray<keyof CursorTypes>
type ValuesOf<Wanted extends Kinds> = { -readonly [Index in keyof Wanted]: CursorTypes[Wanted[Index]] }

/** Where a page ended, as opaque text for the next request. */
export function formatCursor (values: ReadonlyArray<string | number>): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url')
}

/**
 * The values that were written into a cursor. Anybody can make one, so they say where to go on and nothing else.
 *
 * @throws ValidationError unless it holds exactly values of these kinds
 */
export function parseCursor<const Wanted extends Kinds> (cursor: string, kinds: Wanted): ValuesOf<Wanted> {
  const values = parseJson(Buffer.from(cursor, 'base64url').toString())
  if (!Array.isArray(values) || values.length !== kinds.length || !kinds.every((kind, index) => isOfKind(values[index], kind))) {
    throw new ValidationError('The cursor is not valid: begin again without one')
  }
  return values as ValuesOf<Wanted>
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// PostgreSQL answers a NUL or a lone surrogate with an error, and a fraction where it expects a time too.
function isOfKind (value: unknown, kind: keyof CursorTypes): boolean {
  return kind === 'number' ? Number.isSafeInteger(value) : typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}
