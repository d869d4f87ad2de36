import t from 'tap'
import { engines } from './engines.ts'
import { IDLE, LIFETIME, openRepositories, START } from './repositories.ts'

const SCENE = ['user_created', 'login']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A revoked session does not rotate, not even within the grace', async (t) => {
      const { sessions, ada, open, events } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      await sessions.rotate(id, 0, {})

      await sessions.revoke(id, 'logout', {})

      t.equal(await sessions.rotate(id, 0, {}), undefined)
      t.equal(await sessions.rotate(id, 1, {}), undefined)
      t.same((await events(...SCENE)).map(({ type }) => type), ['logout'])
    })

    t.test('Once a revocation is acknowledged, no rotation that ran beside it leads anywhere', async (t) => {
      const { sessions, ada, open, isLive } = await openRepositories(t, engine)
      await ada()

      for (let round = 0; round < 20; round++) {
        const id = await open()
        const rotate = async () => await sessions.rotate(id, 0, {})
        const [, , revoked] = await Promise.all([rotate(), rotate(), sessions.revoke(id, 'logout', {}), rotate(), rotate()])

        t.equal(revoked, true)
        t.equal(await isLive(id), false)
        t.equal(await sessions.rotate(id, 0, {}), undefined)
        t.equal(await sessions.rotate(id, 1, {}), undefined)
      }
    })

    t.test('An expired session is dead', async (t) => {
      const limits = [
        { name: 'when it was not used for so long', rotatedAt: START, expiresAt: START + IDLE },
        { name: 'when it is as old as a session can be', rotatedAt: START + IDLE - 1, expiresAt: START + LIFETIME }
      ]
      for (const { name, rotatedAt, expiresAt } of limits) {
        t.test(name, async (t) => {
          const { sessions, db, ada, open, clock, events } = await openRepositories(t, engine)
          await ada()
          const id = await open()
          clock.at = rotatedAt
          await sessions.rotate(id, 0, {})
          // As if it had been used all the time, so that the other limit counts.
          if (expiresAt === START + LIFETIME) await db.updateTable('sessions').set({ idle_expires_at: expiresAt + IDLE }).execute()

          clock.at = expiresAt
          t.equal(await sessions.rotate(id, 1, {}), undefined)
          t.equal(await sessions.rotate(id, 0, {}), undefined)
          clock.at = expiresAt - 1
          t.equal(await sessions.rotate(id, 1, {}), 2, 'but not a millisecond earlier')
          t.same(await events(...SCENE), [])
        })
      }

      t.test('within the grace too', async (t) => {
        const { sessions, db, ada, open, clock, events } = await openRepositories(t, engine)
        await ada()

        for (const limit of ['expires_at', 'idle_expires_at'] as const) {
          clock.at = START
          const id = await open()
          await sessions.rotate(id, 0, {})
          await db.updateTable('sessions').set({ [limit]: START + 5 }).where('id', '=', id).execute()

          clock.at = START + 4
          t.equal(await sessions.rotate(id, 0, {}), 1, limit)
          clock.at = START + 5
          t.equal(await sessions.rotate(id, 0, {}), undefined, limit)
        }
        t.same(await events(...SCENE), [])
      })
    })

    t.test('A session of a disabled user does not rotate', async (t) => {
      const { sessions, ada, open, accounts } = await openRepositories(t, engine)
      const { id: userId } = await ada()
      const id = await open()

      await accounts.update(userId, { disabled: true }, {})

      t.equal(await sessions.rotate(id, 0, {}), undefined)
    })
  })
}
