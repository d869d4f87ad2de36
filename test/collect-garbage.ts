import { setImmediate as otherWork } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Resolves when what nobody holds any more is gone: what was collected lets go of more. */
export async function collectGarbage (): Promise<void> {
  for (let time = 0; time < 3; time++) {
    collect()
    await otherWork()
  }
}
