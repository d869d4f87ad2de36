import { createReadStream, fstatSync, statSync, type Stats } from 'node:fs'
import { stdin } from 'node:process'
import type { Command } from 'commander'
import { readLines } from '../lib/bounded-lines.ts'
import { StartupError } from '../lib/errors.ts'
import { createFirstLines } from '../lib/first-lines.ts'
import { MAX_LINE, readEntry, type ImportEntry } from '../lib/import-entry.ts'
import type { ImportedUser } from '../lib/import-line.ts'
import type { ImportOutcome, UserImport } from '../plugins/data/user-import.ts'
import { OPERATOR, withService } from './context.ts'
import { createReport, type ImportReport } from './import-report.ts'
import { addCommand, type OutputOptions } from './output.ts'
import { createProgress } from './progress.ts'

interface ImportOptions extends OutputOptions {
  dryRun?: boolean
}

interface Input {
  chunks: AsyncIterable<Buffer>
  size: number | undefined
}

const LINES_PER_TRANSACTION = 500

export function addImportCommand (user: Command): void {
  addCommand(user, 'import <file>', 'make users with their password hashes from JSON lines; - is standard input')
    .option('--dry-run', 'check everything and write nothing')
    .action(importUsers)
}

async function importUsers (file: string, { dryRun = false, json = false }: ImportOptions): Promise<void> {
  const input = openInput(file)
  const refused = await withService(async ({ userImport }) => {
    const act = dryRun ? userImport.check : async (users: ImportedUser[]) => await userImport.add(users, OPERATOR)
    const progress = createProgress(input.size)
    const report = createReport({ dryRun, json }, progress.interrupt)
    try {
      await importLines(input.chunks, act, report, progress.update)
    } finally {
      progress.stop()
    }
    return report.finish()
  }, { makesDatabase: true })
  if (refused > 0) process.exitCode = 1
}

function openInput (file: string): Input {
  try {
    const size = sizeOf(file === '-' ? fstatSync(stdin.fd) : statSync(file))
    return { chunks: read(file), size }
  } catch (cause) {
    throw new StartupError(`${file} can't be read`, { cause })
  }
}

function sizeOf (stats: Stats): number | undefined {
  return stats.isFile() ? stats.size : undefined
}

async function * read (file: string): AsyncGenerator<Buffer> {
  try {
    yield * (file === '-' ? stdin : createReadStream(file)) as AsyncIterable<Buffer>
  } catch (cause) {
    throw new StartupError(`${file} can't be read`, { cause })
  }
}

async function importLines (
  chunks: AsyncIterable<Buffer>,
  act: UserImport['check'],
  report: ImportReport,
  update: (lines: number, readBytes: number) => void
): Promise<void> {
  const firstLines = createFirstLines()
  try {
    let batch: ImportEntry[] = []
    for await (const line of readLines(chunks, MAX_LINE)) {
      const entry = readEntry(line, firstLines)
      if (entry !== undefined) batch.push(entry)
      if (batch.length === LINES_PER_TRANSACTION) {
        await importBatch(batch, act, report)
        batch = []
      }
      update(line.number, line.readBytes)
    }
    await importBatch(batch, act, report)
  } finally {
    firstLines.close()
  }
}

async function importBatch (batch: readonly ImportEntry[], act: UserImport['check'], report: ImportReport): Promise<void> {
  const outcomes = await act(batch.flatMap((entry) => 'user' in entry ? [entry.user] : []))
  for (const entry of batch) {
    if ('reason' in entry) {
      report.refuse(entry.line, entry.reason)
      continue
    }
    const outcome = outcomes.shift() as ImportOutcome // there is one for each user
    if (typeof outcome === 'string') report.count(outcome, entry.user.roles)
    else report.refuse(entry.line, outcome.reason)
  }
}
