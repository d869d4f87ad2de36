import { stdout } from 'node:process'

/** Writes what becomes of each line as it becomes known, so that a file of any length needs no memory for it. */
export interface ImportReport {
  count (outcome: 'imported' | 'present'): void
  refuse (line: number, reason: string): void
  /** Gives the number of lines that were refused. */
  finish (): number
}

interface ReportOptions {
  dryRun: boolean
  json: boolean
}

/** @param interrupt lets something be written while a progress bar stands on the terminal */
export function createReport ({ dryRun, json }: ReportOptions, interrupt: (write: () => void) => void): ImportReport {
  const counts = { imported: 0, present: 0, refused: 0 }

  return {
    count (outcome) { counts[outcome]++ },

    refuse (line, reason) {
      const start = counts.refused === 0 ? '{"refused":[' : ','
      interrupt(() => { stdout.write(json ? `${start}${JSON.stringify({ line, reason })}\n` : `Line ${line}: ${reason}\n`) })
      counts.refused++
    },

    finish () {
      const { imported, present, refused } = counts
      const start = refused === 0 ? '{"refused":[' : ''
      stdout.write(json
        ? `${start}],"imported":${imported},"skipped":${present}}\n`
        : `${imported} ${dryRun ? 'can be imported' : 'imported'}, ${present} there already, ${refused} refused\n`)
      return refused
    }
  }
}
