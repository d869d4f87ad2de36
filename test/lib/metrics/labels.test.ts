import { METHODS } from 'node:http'
import t from 'tap'
import { methodLabel, routeLabel, tokenOutcome } from '../../../lib/metrics/labels.ts'

t.test('methods that nobody uses here are one', async (t) => {
  const labels = new Set(METHODS.map(methodLabel))

  t.strictSame([...labels].toSorted(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'other'])
})

t.test('a route is named by its pattern, and everything else is one', async (t) => {
  t.equal(routeLabel('/users/:id'), '/users/:id')
  t.equal(routeLabel('/verify/*'), '/verify/*')
  t.equal(routeLabel('*'), 'other')
  t.equal(routeLabel(undefined), 'other')
})

for (const [status, outcome] of [[200, 'issued'], [400, 'refused'], [401, 'refused'], [429, 'throttled'], [500, 'failed'], [503, 'overloaded']] as const) {
  t.test(`${status} of the token endpoint counts as ${outcome}`, async (t) => {
    t.equal(tokenOutcome(status), outcome)
  })
}
