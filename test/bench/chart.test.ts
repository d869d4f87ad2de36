import t from 'tap'
import { drawChart, reach } from '../../bench/chart.ts'
import { LOGIN, MEMORY, START } from './figures.ts'

t.test('reach says how many times its goal a figure is, whether more or less of it is better', async (t) => {
  t.strictSame([LOGIN, START, MEMORY].map(reach), [2, 3, 0.5])
})

t.test('the chart has a bar for each figure, as long as its reach and cut at twice the goal', async (t) => {
  const chart = drawChart([LOGIN, START, MEMORY])

  const bars = [...chart.matchAll(/<rect class="(\w+)" .*? width="([\d.]+)"/g)].map(([, kind, width]) => [kind, width])
  t.strictSame(bars, [['reached', '300.0'], ['reached', '300.0'], ['missed', '75.0']])
  t.match(chart, '<line class="goal-line" x1="710"')
})

t.test('who does not see the chart is told all that it shows', async (t) => {
  const chart = drawChart([LOGIN, START, MEMORY])

  t.match(chart, 'role="img" aria-labelledby="title description"')
  t.match(chart, /<title id="title">[^<]+<\/title>/)
  t.match(chart, '<desc id="description">2 of 3 goals are reached.')
  t.match(chart, 'log in : loop: 0.900, goal at least 0.45. Start &lt;ready&gt; &amp; "well": 0.50 s, goal below 1.5 s. Memory: 220.0 MB, goal below 110 MB.</desc>')
})

t.test('the chart has colours of its own for a dark page', async (t) => {
  t.match(drawChart([LOGIN]), /prefers-color-scheme: dark.*text \{ fill: #e6edf3 \}/s)
})

t.test('no text of a figure becomes a part of the picture', async (t) => {
  t.notMatch(drawChart([START]), '<ready>')
})
