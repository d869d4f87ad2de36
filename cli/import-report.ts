import { stdout } from 'node:process'

/** Writes what becomes of each line as it becomes known, so that a file of any length needs no memory for it. */
export interface ImportReport {
  count (outcome: 'imported' | 'present', roles: readonly string[]): void
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
  const given = new Map<string, number>()

  return {
    count (outcome, roles) {
      counts[outcome]++
      if (outcome === 'imported') for (const role of roles) given.set(role, (given.get(role) ?? 0) + 1)
    },

    refuse (line, reason) {
      const start = counts.refused === 0 ? '{"refused":[' : ','
      interrupt(() => { stdout.write(json ? `${start}${JSON.stringify({ line, reason })}\n` : `Line ${line}: ${reason}\n`) })
      counts.refused++
    },

    finish () {
      const { imported, present, refused } = counts
      const start = refused === 0 ? '{"refused":[' : ''
      const roles = { json: `,"roles":${JSON.stringify(Object.fromEntries(given))}`, text: listRoles(given) }
      stdout.write(json
        ? `${start}],"imported":${imported},"skipped":${present}${dryRun ? roles.json : ''}}\n`
        : `${imported} ${dryRun ? 'can be imported' : 'imported'}, ${present} there already, ${refused} refused\n${dryRun ? roles.text : ''}`)
      return refused
    }
  }
}

/** Nobody is to become an administrator unseen. */
function listRoles (given: ReadonlyMap<string, number>): string {
  if (given.size === 0) return ''
  return `Roles that would be given: ${[...given].map(([role, users]) => `${role} (${users})`).join(', ')}\n`
}
