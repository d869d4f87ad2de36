import { readFileSync } from 'node:fs'
import type { Machine } from './machine.ts'
import { describeGoal, describeValue, formatRates, isReached, type Figure } from './report.ts'

/** What `npm run bench -- --json` writes. */
export interface Results {
  machine: Machine
  figures: Figure[]
}

const BEGIN = '<!-- figures: made by `npm run readme` -->'
const END = '<!-- /figures -->'

/** What was written down of both databases, which are measured in runs of their own on the same machine. */
export function readResults (): Results {
  const [sqlite, postgres] = ['figures', 'figures-postgres'].map((name) => JSON.parse(readFileSync(new URL(`../docs/${name}.json`, import.meta.url), 'utf8')) as Results) as [Results, Results]
  return { ...sqlite, figures: [...sqlite.figures, ...postgres.figures] }
}

/** The text of the README with the figures as they were measured. */
export function withFiguresTable (readme: string, { machine, figures }: Results): string {
  const before = readme.slice(0, readme.indexOf(BEGIN) + BEGIN.length)
  const after = readme.slice(readme.indexOf(END))
  const rows = figures.map((figure) => `| ${[figure.name, ...formatRates(figure), describeValue(figure), describeGoal(figure), isReached(figure) ? 'reached' : '**missed**'].join(' | ')} |`)
  return [
    before,
    `Measured on ${machine.cores} cores (${machine.processor}, ${machine.memoryGb} GB) with Node ${machine.node}.`,
    '',
    '| figure | measured | limit | value | goal | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    after
  ].join('\n')
}
