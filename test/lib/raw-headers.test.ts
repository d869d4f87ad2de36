import t from 'tap'
import { countHeader } from '../../lib/raw-headers.ts'

t.test('A header is counted in any spelling, by its name and not by a value', async (t) => {
  const headers = ['Host', 'authorization', 'AUTHORIZATION', 'Bearer x', 'authorization', 'Bearer y', 'x-authorization', 'z', 'authorizatiom', 'z']

  t.equal(countHeader(headers, 'authorization'), 2)
  t.equal(countHeader(headers, 'host'), 1)
  t.equal(countHeader(headers, 'cookie'), 0)
})
