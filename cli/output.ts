import { stdout } from 'node:process'
import type { Command } from 'commander'

export interface OutputOptions {
  json?: boolean
}

/** Adds a command whose results can be had as JSON. */
export function addCommand (parent: Command, nameAndArguments: string, description: string): Command {
  return parent.command(nameAndArguments).description(description).option('--json', 'print the result as JSON')
}

/** Prints a result for programs, or a sentence or table for people, on standard output. */
export function print ({ json }: OutputOptions, result: unknown, text: string): void {
  stdout.write(json === true ? `${JSON.stringify(result)}\n` : `${text}\n`)
}

/** Left-aligned columns with a heading. */
export function formatTable (rows: ReadonlyArray<Readonly<Record<string, string>>>): string {
  const names = Object.keys(rows[0] ?? {})
  const heading = Object.fromEntries(names.map((name) => [name, name.toUpperCase()]))
  const widthOf = (name: string): number => rows.reduce((width, row) => Math.max(width, cell(row, name).length), name.length)
  const columns = names.map((name) => ({ name, width: widthOf(name) }))
  const line = (row: Readonly<Record<string, string>>): string => columns.map(({ name, width }) => cell(row, name).padEnd(width)).join('  ').trimEnd()
  return [heading, ...rows].map(line).join('\n')
}

function cell (row: Readonly<Record<string, string>>, name: string): string {
  return row[name] ?? ''
}
