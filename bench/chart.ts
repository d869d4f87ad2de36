import { describeGoal, describeValue, isReached, median, type Figure } from './report.ts'

const ROW = 26
const TOP = 40
const NAME_WIDTH = 560
const BAR_WIDTH = 300
const TEXT_WIDTH = 250
/** A bar of this many times the goal fills its place; a longer one is cut. */
const MOST = 2

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .goal-line { stroke: #1f2328; stroke-dasharray: 3 3 }
    .reached { fill: #1a7f64 }
    .missed { fill: #c2410c }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .goal-line { stroke: #e6edf3 }
      .reached { fill: #3fb68b }
      .missed { fill: #f0883e }
    }
  `

/** How far a figure is beyond its goal: 1 is the goal itself, more is better. */
export function reach ({ goal, rounds }: Figure): number {
  const value = median(rounds)
  return 'below' in goal ? goal.below / value : value / goal.atLeast
}

/** An SVG picture with a bar for each figure, all on one scale: who passes the line has reached the goal. */
export function drawChart (figures: readonly Figure[]): string {
  const width = NAME_WIDTH + BAR_WIDTH + TEXT_WIDTH
  const height = TOP + figures.length * ROW + ROW / 2
  const goalX = NAME_WIDTH + BAR_WIDTH / MOST
  const reached = figures.filter(isReached).length
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
  <title id="title">Figures of Latchkey, each beside its goal</title>
  <desc id="description">${reached} of ${figures.length} goals are reached. A bar that passes the line has reached its goal; its length says how far. ${escape(figures.map(sentence).join(' '))}</desc>
  <style>${STYLE}</style>
  <text x="${goalX}" y="16" text-anchor="middle">goal</text>
  <text x="${NAME_WIDTH + BAR_WIDTH}" y="16" text-anchor="middle">${MOST} x</text>
${figures.map(drawRow).join('')}  <line class="goal-line" x1="${goalX}" y1="24" x2="${goalX}" y2="${height - 4}"/>
</svg>
`
}

function drawRow (figure: Figure, index: number): string {
  const y = TOP + index * ROW
  const length = Math.max(2, Math.min(reach(figure), MOST) / MOST * BAR_WIDTH)
  return `  <text x="${NAME_WIDTH - 10}" y="${y + 13}" text-anchor="end">${escape(figure.name)}</text>
  <rect class="${isReached(figure) ? 'reached' : 'missed'}" x="${NAME_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${ROW - 8}" rx="2"/>
  <text x="${NAME_WIDTH + BAR_WIDTH + 12}" y="${y + 13}">${escape(`${describeValue(figure)} (${describeGoal(figure)})`)}</text>
`
}

function sentence (figure: Figure): string {
  return `${figure.name}: ${describeValue(figure)}, goal ${describeGoal(figure)}.`
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
