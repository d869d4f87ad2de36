import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { readStoredHash } from '../../../lib/stored-hash.ts'

/** How often others get their turn while the password is verified. */
async function countTurns (stored: string, password: string): Promise<number> {
  const hash = readStoredHash(stored)
  if (!('verify' in hash)) throw new Error('not taken')
  const state = { isDone: false, turns: 0 }
  const verification = hash.verify(password).finally(() => { state.isDone = true })
  while (!state.isDone) {
    await setImmediate()
    state.turns++
  }
  await verification
  return state.turns
}

t.test('Others get their turn while a phpass hash with many rounds is verified', async (t) => {
  const turns = await countTurns('$P$E55D6LjfHDkINU5wF.v2BuuzO0/XPk/', 'twelve bytes')

  t.ok(turns >= 2 ** 16 * 28 / 40_000, `${turns} turns for 65,536 rounds that hash 28 bytes each`)
})

t.test('A longer password does not make the turns longer', async (t) => {
  const turns = await countTurns('$P$555D6LjfHDkINU5wF.v2BuuzO0/XPk/', 'x'.repeat(4096))

  t.ok(turns >= 128 * 4112 / 40_000, `${turns} turns for 128 rounds that hash 4,112 bytes each`)
})
