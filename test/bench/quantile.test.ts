import t from 'tap'
import { quantile } from '../../bench/quantile.ts'

t.test('a quantile is the smallest value that this share of the values does not exceed', async (t) => {
  const hundred = Array.from({ length: 100 }, (_nothing, index) => 100 - index)

  const quantiles = [quantile(hundred, 0.99), quantile(hundred, 1), quantile(hundred, 0), quantile([7], 0.99), quantile([9, 1, 10], 0.5)]

  t.strictSame(quantiles, [99, 100, 1, 7, 9])
})

t.test('nothing measured has no quantile', async (t) => {
  t.throws(() => quantile([], 0.99), RangeError)
})
