import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// Loaded into the service before all else. On a signal it tells how much memory is in use, and whether anybody has
// changed what all objects share.
function tell (): void {
  const { polluted } = {} as { polluted?: unknown }
  const { heapUsed: heap, rss: resident } = process.memoryUsage()
  process.stdout.write(`\nprobe: ${JSON.stringify({ polluted: polluted ?? null, keys: Object.keys(Object.prototype), heap, resident })}\n`)
}

function collectAndTell (): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  tell()
}

process.on('SIGWINCH', tell).on('SIGIO', collectAndTell)
