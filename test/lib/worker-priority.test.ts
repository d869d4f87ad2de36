import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lowerWorkerPriority } from '../../lib/worker-priority.ts'
import { temporaryDirectory } from '../helper.ts'

/** A process that waits, which has a priority as a thread has. */
async function startIdle (t: Test): Promise<number> {
  const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], { env: {} })
  const end = once(child, 'close')
  t.teardown(async () => {
    child.stdin.end()
    await end
  })
  await once(child, 'spawn')
  return child.pid as number
}

/** Lists threads by their names as the system does. */
function listTasks (t: Test, names: Array<[task: number, name: string]>): string {
  const tasks = temporaryDirectory(t)
  for (const [task, name] of names) {
    mkdirSync(join(tasks, String(task)))
    writeFileSync(join(tasks, String(task), 'comm'), `${name}\n`)
  }
  return tasks
}

t.test('the threads that hash get a lower priority, and no others', async (t) => {
  const [hashing, other] = [await startIdle(t), await startIdle(t)]
  const before = getPriority(other)

  lowerWorkerPriority(listTasks(t, [[hashing, 'libuv-worker'], [other, 'node']]))

  t.equal(getPriority(hashing), 10)
  t.equal(getPriority(other), before)
})

t.test('a thread that has ended meanwhile is passed over', async (t) => {
  const hashing = await startIdle(t)
  const tasks = listTasks(t, [[2 ** 22 + 1, 'libuv-worker'], [hashing, 'libuv-worker']])
  mkdirSync(join(tasks, '1'))

  lowerWorkerPriority(tasks)

  t.equal(getPriority(hashing), 10)
})

t.test('where threads are not listed nothing happens', async (t) => {
  t.doesNotThrow(() => { lowerWorkerPriority(join(temporaryDirectory(t), 'nowhere')) })
})
