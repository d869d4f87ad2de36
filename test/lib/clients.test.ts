import t from 'tap'
import { findClient, FIRST_PARTY_CLIENT } from '../../lib/clients.ts'

t.test('findClient knows the first-party client and its grants', async (t) => {
  const client = findClient('first-party')

  t.strictSame(client, { id: 'first-party', grantTypes: ['password', 'refresh_token'] })
  t.equal(client, FIRST_PARTY_CLIENT)
})

for (const id of ['', 'First-Party', 'first-party ', 'constructor', '__proto__']) {
  t.test(`findClient knows no client called ${JSON.stringify(id)}`, async (t) => {
    t.equal(findClient(id), undefined)
  })
}
