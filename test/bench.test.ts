import t from 'tap'
import { formatTable, isReached, median, ratioFigure, toJson, type Figure } from '../bench/report.ts'

const LOGIN = ratioFigure('log in : loop', 0.9, [{ figure: 180, limit: 190 }, { figure: 20, limit: 190 }, { figure: 184, limit: 193 }])
const START: Figure = { name: 'Start', goal: { below: 1, unit: 's' }, rounds: [0.4, 1.2, 0.5] }
const MEMORY: Figure = { name: 'Memory', goal: { below: 110, unit: 'MB' }, rounds: [110, 110] }

t.test('the median is the middle value, or the mean of the two in the middle', async (t) => {
  const medians = [[7], [9, 1, 2], [4, 1, 3, 2], [10, 9, 100]].map((values) => median(values))

  t.strictSame(medians, [7, 2, 2.5, 10])
})

t.test('nothing measured has no median', async (t) => {
  t.throws(() => median([]), RangeError)
})

t.test('a ratio is formed in each round, so one disturbed round does not decide', async (t) => {
  t.strictSame(LOGIN.rounds, [180 / 190, 20 / 190, 184 / 193])
  t.equal(median(LOGIN.rounds), 180 / 190)
  t.equal(isReached(LOGIN), true)
})

t.test('a goal is reached at its value for a ratio, and below it for a plain value', async (t) => {
  const atGoal = ratioFigure('', 0.5, [{ figure: 1, limit: 2 }])
  const short = ratioFigure('', 0.5, [{ figure: 0.99, limit: 2 }])

  t.strictSame([atGoal, short, START, MEMORY].map(isReached), [true, false, true, false])
})

t.test('the table has a line for each figure and marks a missed goal', async (t) => {
  const table = formatTable([LOGIN, START, MEMORY])

  t.equal(table, [
    'figure         measured  limit  value     rounds                goal',
    'log in : loop  180/s     190/s  0.947     0.105 to 0.953        at least 0.90  reached',
    'Start          -         -      0.50 s    0.40 s to 1.20 s      below 1 s      reached',
    'Memory         -         -      110.0 MB  110.0 MB to 110.0 MB  below 110 MB   MISSED',
    ''
  ].join('\n'))
})

t.test('programs get every round, the value and the verdict', async (t) => {
  const [login, start] = toJson([LOGIN, START])

  t.strictSame(login, { ...LOGIN, value: 180 / 190, reached: true })
  t.strictSame(start, { ...START, value: 0.5, reached: true })
})
