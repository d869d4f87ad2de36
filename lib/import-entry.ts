import type { Line } from './bounded-lines.ts'
import { ValidationError } from './errors.ts'
import type { FirstLines } from './first-lines.ts'
import { parseImportLine, type ImportedUser } from './import-line.ts'

/** A line whose user is still to be made, or that is refused. */
export type ImportEntry = { line: number } & ({ user: ImportedUser } | { reason: string })

/** Bytes. */
export const MAX_LINE = 16 * 1024

/** Undefined for an empty line. */
export function readEntry ({ number, bytes }: Line, firstLines: FirstLines): ImportEntry | undefined {
  try {
    if (bytes === undefined) throw new ValidationError(`Use at most ${MAX_LINE} bytes in a line`)
    const user = parseImportLine(bytes)
    if (user === undefined) return undefined
    requireUnique(firstLines, 'username', user.username, number)
    if (user.email !== null) requireUnique(firstLines, 'e-mail address', user.email.canonical, number)
    return { line: number, user }
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    return { line: number, reason: error.message }
  }
}

// A second line could be another person's, whom nobody would miss if it were skipped.
function requireUnique (firstLines: FirstLines, kind: string, name: string, line: number): void {
  const first = firstLines.find(`${kind} ${name}`, line)
  if (first !== line) throw new ValidationError(`Line ${first} has the same ${kind}`)
}
