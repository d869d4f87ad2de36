import { execFileSync } from 'node:child_process'

/** In megabytes of a million bytes. */
export function residentMb (pid: number): number {
  const kib = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }))
  if (!(kib > 0)) throw new Error('The memory of the service could not be read')
  return kib * 1024 / 1e6
}

/** What the memory was at the begin, again and again during the work, and at its end. */
export async function watchMemory (pid: number, everyMs: number, work: () => Promise<unknown>): Promise<number[]> {
  const read = [residentMb(pid)]
  const timer = setInterval(() => { read.push(residentMb(pid)) }, everyMs)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return [...read, residentMb(pid)]
}
