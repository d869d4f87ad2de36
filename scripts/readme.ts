import { readFileSync, writeFileSync } from 'node:fs'
import { drawChart } from '../bench/chart.ts'
import { readResults, withFiguresTable } from '../bench/figures-table.ts'
import { withSettingsTable } from '../lib/settings-table.ts'

const readme = new URL('../README.md', import.meta.url)
const results = readResults()

writeFileSync(readme, withFiguresTable(withSettingsTable(readFileSync(readme, 'utf8')), results))
writeFileSync(new URL('../docs/figures.svg', import.meta.url), drawChart(results.figures))
