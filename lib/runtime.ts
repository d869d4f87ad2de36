import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const HEAP_GROWING_PERCENT = 20
const USUAL_BYTECODE_OLD_AGE = 6

/**
 * To be called before the program is imported: keeps the young generation of the heap as small as it is, for it would only
 * grow by what the start leaves behind.
 */
export function prepareStart (): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Gives back what only the start needed, compiled code included, and lets the heap grow with the load: its young generation
 * by doubling, the rest to `HEAP_GROWING_PERCENT` more than is in use. By itself the rest would grow to three times that during a flood.
 */
export function finishStart (): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: object) => void
  setFlagsFromString('--bytecode-old-age=1')
  collect({ type: 'major', flavor: 'last-resort' })
  setFlagsFromString(`--bytecode-old-age=${USUAL_BYTECODE_OLD_AGE}`)
  setFlagsFromString('--semi-space-growth-factor=2')
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`)
}
