import t from 'tap'
import { startLoad } from './load.ts'
import { canRunPair, startPair } from './pair.ts'

const ROUNDS = 2

if (await canRunPair(t)) {
  t.test('Both replicas are restarted one after the other, and no client notices', async (t) => {
    const { one, two, loginUrl } = await startPair(t)
    const load = await startLoad({ url: loginUrl })

    for (let round = 0; round < ROUNDS; round++) {
      for (const replica of [one, two]) {
        await load.answers(100)
        t.equal(await replica.stop('SIGTERM'), 0)
        await replica.start()
      }
    }
    await load.answers(100)

    const { answered, failures } = await load.stop()
    t.comment(`${answered} answers`)
    t.strictSame(failures, [])
  })
}
