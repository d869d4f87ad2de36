/** What a figure must reach: a share of its limit, or a plain value that it must stay below. */
export type Goal = { atLeast: number } | { below: number, unit: string }

/** One line of the report. */
export interface Figure {
  name: string
  goal: Goal
  /** One value of each round: ratios to the limit, or plain values in the unit of the goal. */
  rounds: readonly number[]
  /** For a ratio: both sides of each round, per second. */
  rates?: ReadonlyArray<Pair>
  /** For a value over time: what was read each second. */
  series?: readonly number[]
  /** How many requests were answered with each status. */
  statuses?: Readonly<Record<string, number>>
  /** What sending the requests took of a core, in each round. */
  senderCores?: readonly number[]
}

/** What was measured and its limit, each per second, one right after the other. */
export interface Pair {
  figure: number
  limit: number
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median (values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  if (low === undefined || high === undefined) throw new RangeError('Nothing was measured')
  return (low + high) / 2
}

/** A figure whose value is the median of the ratios, so that a disturbed round does not count. */
export function ratioFigure (name: string, atLeast: number, rates: readonly Pair[]): Figure {
  return { name, goal: { atLeast }, rounds: rates.map(({ figure, limit }) => figure / limit), rates }
}

export function isReached ({ goal, rounds }: Figure): boolean {
  return 'below' in goal ? median(rounds) < goal.below : median(rounds) >= goal.atLeast
}

/** For programs: everything that was measured, with its medians and verdicts. */
export function toJson (figures: readonly Figure[]): object[] {
  return figures.map((figure) => ({ ...figure, value: median(figure.rounds), reached: isReached(figure) }))
}

const HEADINGS = ['figure', 'measured', 'limit', 'value', 'rounds', 'goal', '']

/** For people: a line for each figure; a missed goal stands out. */
export function formatTable (figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(formatRow)]
  // Every row has a cell for each heading.
  const widths = HEADINGS.map((_heading, column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ').trimEnd())
  return `${lines.join('\n')}\n`
}

function formatRow (figure: Figure): string[] {
  const { goal, rounds } = figure
  return [
    figure.name,
    ...formatRates(figure),
    describeValue(figure),
    `${format(Math.min(...rounds), goal)} to ${format(Math.max(...rounds), goal)}`,
    describeGoal(figure),
    isReached(figure) ? 'reached' : 'MISSED'
  ]
}

/** What was measured and its limit; dashes where there is none. */
export function formatRates ({ rates = [] }: Figure): [string, string] {
  if (rates.length === 0) return ['-', '-']
  return [formatRate(median(rates.map(({ figure }) => figure))), formatRate(median(rates.map(({ limit }) => limit)))]
}

export function describeValue ({ goal, rounds }: Figure): string {
  return format(median(rounds), goal)
}

export function describeGoal ({ goal }: Figure): string {
  return 'below' in goal ? `below ${goal.below} ${goal.unit}` : `at least ${goal.atLeast.toFixed(2)}`
}

function format (value: number, goal: Goal): string {
  if (!('below' in goal)) return value.toFixed(3)
  return `${value.toFixed(goal.below < 10 ? 2 : 1)} ${goal.unit}`
}

function formatRate (perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')}/s`
}
