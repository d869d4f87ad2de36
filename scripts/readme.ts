import { readFileSync, writeFileSync } from 'node:fs'
import { drawChart } from '../bench/chart.ts'
import { withFiguresTable, type Results } from '../bench/figures-table.ts'
import { withSettingsTable } from '../lib/settings-table.ts'

const readme = new URL('../README.md', import.meta.url)
const results = JSON.parse(readFileSync(new URL('../docs/figures.json', import.meta.url), 'utf8')) as Results

writeFileSync(readme, withFiguresTable(withSettingsTable(readFileSync(readme, 'utf8')), results))
writeFileSync(new URL('../docs/figures.svg', import.meta.url), drawChart(results.figures))
