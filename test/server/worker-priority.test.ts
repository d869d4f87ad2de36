import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import t from 'tap'
import { canRun, testEnv } from '../helper.ts'
import { startServer, type ServerProcess } from '../server-process.ts'

interface Thread {
  id: number
  name: string
  nice: number
}

function readThreads ({ pid }: ServerProcess): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')
    // The name is in parentheses and may contain some; what follows begins with the third field.
    const nameEnd = stat.lastIndexOf(')')
    return { id: Number(id), name: stat.slice(stat.indexOf('(') + 1, nameEnd), nice: Number(stat.slice(nameEnd + 2).split(' ')[19 - 3]) }
  })
}

t.test('The threads that hash stand behind all others of the service, above all behind the event loop', async (t) => {
  if (!canRun(t, '/proc', existsSync('/proc/self/task'))) return
  const server = await startServer(t, testEnv(t))

  const threads = readThreads(server)
  const workers = threads.filter(({ name }) => name === 'libuv-worker')
  const others = threads.filter(({ name }) => name !== 'libuv-worker')

  t.ok(workers.length > 0)
  t.same(workers.filter(({ nice }) => nice !== 10), [])
  t.ok(others.some(({ id }) => id === server.pid))
  t.same(others.filter(({ nice }) => nice !== getPriority()), [])
})
