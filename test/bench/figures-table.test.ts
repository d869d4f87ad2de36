import { readFileSync } from 'node:fs'
import t from 'tap'
import { drawChart } from '../../bench/chart.ts'
import { readResults, withFiguresTable } from '../../bench/figures-table.ts'
import { LOGIN, MEMORY } from './figures.ts'

const MACHINE = { node: 'v24.0.0', cores: 2, processor: 'Fast One', memoryGb: 8 }

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

t.test('the table says on what machine the figures were measured, and stands out where a goal is missed', async (t) => {
  const readme = 'before\n<!-- figures: made by `npm run readme` -->\nold\n<!-- /figures -->\nafter\n'

  const renewed = withFiguresTable(readme, { machine: MACHINE, figures: [LOGIN, MEMORY] })

  t.equal(renewed, [
    'before',
    '<!-- figures: made by `npm run readme` -->',
    'Measured on 2 cores (Fast One, 8 GB) with Node v24.0.0.',
    '',
    '| figure | measured | limit | value | goal | |',
    '| --- | --- | --- | --- | --- | --- |',
    '| log in : loop | 1,800/s | 2,000/s | 0.900 | at least 0.45 | reached |',
    '| Memory | - | - | 220.0 MB | below 110 MB | **missed** |',
    '<!-- /figures -->',
    'after',
    ''
  ].join('\n'))
})

t.test('the README and the chart show the figures that were written down', async (t) => {
  const results = readResults()
  const readme = read('README.md')

  t.equal(withFiguresTable(readme, results), readme, 'run npm run readme')
  t.equal(drawChart(results.figures), read('docs/figures.svg'), 'run npm run readme')
})
