import t from 'tap'
import { FORGET_NETWORK_MS, MOST_NETWORKS } from '../../plugins/data/known-networks.ts'
import { engines } from './engines.ts'
import { HOUR, openRepositories, START } from './repositories.ts'

const HERE = '192.0.2.1'

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A network is known to the user who logged in there, and to nobody else', async (t) => {
      const { db, knownNetworks, users, ada } = await openRepositories(t, engine)
      const { id } = await ada()
      const { id: other } = await users.create({ username: 'ben' }, {})

      await knownNetworks.add(db, id, HERE)

      t.equal(await knownNetworks.find(id, HERE), START)
      t.equal(await knownNetworks.find(id, '192.0.2.2'), undefined)
      t.equal(await knownNetworks.find(other, HERE), undefined)
      t.equal(await knownNetworks.find('', HERE), undefined)
    })

    t.test('A network that was not used for 90 days is a stranger\'s again', async (t) => {
      const { db, knownNetworks, clock, ada } = await openRepositories(t, engine)
      const { id } = await ada()
      await knownNetworks.add(db, id, HERE)

      clock.at += FORGET_NETWORK_MS - 1
      t.equal(await knownNetworks.find(id, HERE), START)
      clock.at += 1
      t.equal(await knownNetworks.find(id, HERE), undefined)
      t.equal(FORGET_NETWORK_MS, 90 * 24 * HOUR)

      await knownNetworks.add(db, id, HERE)
      t.equal(await knownNetworks.find(id, HERE), clock.at)
    })

    t.test('Of more than 20 networks the one that was not used for longest is forgotten, and no other user\'s', async (t) => {
      const { db, knownNetworks, clock, users, ada } = await openRepositories(t, engine)
      const { id } = await ada()
      const { id: other } = await users.create({ username: 'ben' }, {})
      const networks = Array.from({ length: 21 }, (_, index) => `192.0.2.${index}`)
      await knownNetworks.add(db, other, HERE)
      for (const network of networks.slice(0, 20)) {
        clock.at += 1
        await knownNetworks.add(db, id, network)
      }
      await knownNetworks.add(db, id, networks[0] as string)

      clock.at += 1
      await knownNetworks.add(db, id, networks[20] as string)

      const known = await Promise.all(networks.map(async (network) => await knownNetworks.find(id, network) !== undefined))
      t.strictSame(known, networks.map((_, index) => index !== 1))
      t.equal(known.filter(Boolean).length, MOST_NETWORKS)
      t.equal(await knownNetworks.find(other, HERE), START)
    })

    t.test('What is known of a user goes with the user', async (t) => {
      const { db, knownNetworks, accounts, ada } = await openRepositories(t, engine)
      const { id } = await ada()
      await knownNetworks.add(db, id, HERE)

      await accounts.remove(id, {})

      t.strictSame(await db.selectFrom('known_networks').selectAll().execute(), [])
    })
  })
}
