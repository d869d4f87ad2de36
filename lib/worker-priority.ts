import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

const WORKER = 'libuv-worker'
const NICE = 10

/**
 * Puts the threads that hash behind the event loop, which otherwise waits for a core while all of them hash.
 * To be called when they have begun. Only Linux gives threads priorities of their own; elsewhere nothing happens.
 */
export function lowerWorkerPriority (tasks = '/proc/self/task'): void {
  if (!existsSync(tasks)) return
  for (const task of readdirSync(tasks)) {
    try {
      if (readFileSync(`${tasks}/${task}/comm`, 'utf8').trimEnd() === WORKER) setPriority(Number(task), NICE)
    } catch {
      // The thread is gone, or has a lower priority already, which only root may raise.
    }
  }
}
