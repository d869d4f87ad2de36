import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, GRACE, HOUR, IDLE, LIFETIME, openRepositories, START } from './repositories.ts'

const SCENE = ['user_created', 'login']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A rotation takes the session to the next generation and prolongs its idle time only', async (t) => {
      const { sessions, db, ada, open, clock, events } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      const other = await open()
      clock.at += HOUR

      const generation = await sessions.rotate(id, 0, CONTEXT)

      t.equal(generation, 1)
      const select = db.selectFrom('sessions').select(['generation', 'created_at', 'last_used_at', 'rotated_at', 'idle_expires_at', 'expires_at', 'revoked_at'])
      t.same(await select.where('id', '=', id).execute(), [{
        generation: 1,
        created_at: START,
        last_used_at: START + HOUR,
        rotated_at: START + HOUR,
        idle_expires_at: START + HOUR + IDLE,
        expires_at: START + LIFETIME,
        revoked_at: null
      }])
      t.match(await select.where('id', '=', other).execute(), [{ generation: 0, last_used_at: START, rotated_at: null }])
      t.same(await events(...SCENE), [])
    })

    for (const callers of [20, 50]) {
      t.test(`${callers} parallel rotations of one generation all get the one next generation`, async (t) => {
        const { sessions, db, ada, open, events } = await openRepositories(t, engine)
        await ada()
        const id = await open()

        const generations = await Promise.all(Array.from({ length: callers }, async () => await sessions.rotate(id, 0, {})))

        t.strictSame(generations, Array(callers).fill(1))
        t.same(await db.selectFrom('sessions').select(['generation', 'revoked_at']).execute(), [{ generation: 1, revoked_at: null }])
        t.same(await events(...SCENE), [])
      })
    }

    t.test('Within the grace, to its last millisecond, a generation gets the same successor again', async (t) => {
      const { sessions, ada, open, clock } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      await sessions.rotate(id, 0, {})

      const answers = []
      for (const later of [0, 1, GRACE]) {
        clock.at = START + later
        answers.push(await sessions.rotate(id, 0, {}))
      }

      t.strictSame(answers, [1, 1, 1])
      t.equal(await sessions.rotate(id, 1, {}), 2, 'and the successor goes on')
    })

    t.test('What is asked for again does not prolong the grace', async (t) => {
      const { sessions, ada, open, clock } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      await sessions.rotate(id, 0, {})

      clock.at = START + GRACE
      t.equal(await sessions.rotate(id, 0, {}), 1)
      clock.at = START + GRACE + 1
      t.equal(await sessions.rotate(id, 0, {}), undefined)
    })

    const thefts = [
      { name: 'The parent after the grace', rotations: 1, generation: 0, later: GRACE + 1 },
      { name: 'The parent long after the grace', rotations: 1, generation: 0, later: HOUR },
      { name: 'The grandparent within the grace', rotations: 2, generation: 0, later: 0 },
      { name: 'A far ancestor', rotations: 5, generation: 1, later: 1 },
      { name: 'The parent with a clock set back by an hour', rotations: 1, generation: 0, later: -HOUR },
      { name: 'The parent with a clock set back by more than the grace', rotations: 1, generation: 0, later: -GRACE - 1 }
    ]

    for (const { name, rotations, generation, later } of thefts) {
      t.test(`${name} kills the session for good and is audited`, async (t) => {
        const { sessions, db, ada, open, clock, events, isLive } = await openRepositories(t, engine)
        const { id: userId } = await ada()
        const id = await open()
        for (let rotation = 0; rotation < rotations; rotation++) await sessions.rotate(id, rotation, {})
        clock.at = START + later

        const answer = await sessions.rotate(id, generation, CONTEXT)

        t.equal(answer, undefined)
        t.equal(await isLive(id), false)
        t.same(await db.selectFrom('sessions').select(['generation', 'revoked_at']).execute(), [{ generation: rotations, revoked_at: clock.at }])
        const theft = event('refresh_token_reuse', { ...FROM_REQUEST, outcome: 'failure', user_id: userId, session_id: id, at: clock.at })
        t.same(await events(...SCENE), [theft])

        clock.at = START
        for (let tried = 0; tried <= rotations + 1; tried++) t.equal(await sessions.rotate(id, tried, {}), undefined)
        t.same(await events(...SCENE), [theft], 'it is told once')
      })
    }

    t.test('A clock set back by less than the grace costs nobody a session', async (t) => {
      const { sessions, ada, open, clock } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      await sessions.rotate(id, 0, {})

      clock.at = START - GRACE

      t.equal(await sessions.rotate(id, 0, {}), 1)
    })

    t.test('Without the time of the last rotation there is no grace', async (t) => {
      const { sessions, db, ada, open } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      await sessions.rotate(id, 0, {})

      await db.updateTable('sessions').set({ rotated_at: null }).execute()

      t.equal(await sessions.rotate(id, 0, {}), undefined)
    })

    t.test('Of parallel thieves one is told of', async (t) => {
      const { sessions, ada, open, events } = await openRepositories(t, engine)
      await ada()
      const id = await open()
      await sessions.rotate(id, 0, {})
      await sessions.rotate(id, 1, {})

      const answers = await Promise.all(Array.from({ length: 20 }, async () => await sessions.rotate(id, 0, {})))

      t.strictSame(answers, Array(20).fill(undefined))
      t.equal((await events(...SCENE)).length, 1)
    })

    t.test('A generation that was never given gets nothing and harms nobody', async (t) => {
      const { sessions, ada, open, events, isLive } = await openRepositories(t, engine)
      await ada()
      const id = await open()

      t.equal(await sessions.rotate(id, 1, {}), undefined)
      t.equal(await sessions.rotate('0198c0de-0000-7000-8000-000000000000', 0, {}), undefined)
      t.equal(await isLive(id), true)
      t.equal(await sessions.rotate(id, 0, {}), 1)
      t.same(await events(...SCENE), [])
    })
  })
}
