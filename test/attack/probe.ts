import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// Loaded into the service before all else. On a signal it tells how much memory is in use, how long processors have
// worked for the event loop and for the whole process, and whether anybody has changed what all objects share.
const sum = ({ user, system }: NodeJS.CpuUsage): number => user + system

function tell (): void {
  const { polluted } = {} as { polluted?: unknown }
  const { heapUsed: heap, rss: resident } = process.memoryUsage()
  const worked = { eventLoop: sum(process.threadCpuUsage()), process: sum(process.cpuUsage()) }
  process.stdout.write(`\nprobe: ${JSON.stringify({ polluted: polluted ?? null, keys: Object.keys(Object.prototype), heap, resident, worked })}\n`)
}

function collectAndTell (): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  tell()
}

process.on('SIGWINCH', tell).on('SIGIO', collectAndTell)
