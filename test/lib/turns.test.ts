import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createTurns } from '../../lib/turns.ts'

t.test('callers wait for each other, first come, first served', async (t) => {
  const takeTurn = createTurns()
  const begun: string[] = []
  const take = async (name: string): Promise<() => void> => {
    const endTurn = await takeTurn()
    begun.push(name)
    return endTurn
  }

  const callers = ['first', 'second', 'third'].map(take)
  const seen: string[][] = []
  for (const caller of callers) {
    const endTurn = await caller
    await nextTurn()
    seen.push([...begun])
    endTurn()
  }

  t.same(seen, [['first'], ['first', 'second'], ['first', 'second', 'third']])
})

t.test('a turn that is ended twice gives one turn on, not two', async (t) => {
  const takeTurn = createTurns()
  const endFirst = await takeTurn()
  const second = takeTurn()
  let hasThird = false
  const third = takeTurn().then(() => { hasThird = true })

  endFirst()
  endFirst()
  const endSecond = await second
  await nextTurn()

  t.equal(hasThird, false)
  endSecond()
  await third
})

t.test('those who wait for something else have turns of their own', async (t) => {
  const [takeOne, takeOther] = [createTurns(), createTurns()]

  await takeOne()

  await t.resolves(takeOther())
})
