import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { syncDirectory } from '../../lib/sync-directory.ts'
import { REPOSITORY } from '../command.ts'
import { canRun, temporaryDirectory } from '../helper.ts'
import { canTrace } from '../server/system-calls.ts'

const NOBODY = 65_534

t.test('A directory that is not there', async (t) => {
  const path = join(temporaryDirectory(t), 'data')

  t.throws(() => { syncDirectory(path) }, { code: 'ENOENT' })
})

t.test('A directory of a file system that syncs none is left', async (t) => {
  if (!canRun(t, '/proc', existsSync('/proc/self'))) return

  t.doesNotThrow(() => { syncDirectory('/proc') })
})

t.test('A directory that may be written to but not read is left', async (t) => {
  const directory = temporaryDirectory(t)
  chmodSync(directory, 0o300)
  t.teardown(() => { chmodSync(directory, 0o700) })
  if (process.getuid?.() === 0) {
    chownSync(directory, NOBODY, NOBODY)
    process.seteuid?.(NOBODY)
    t.teardown(() => { process.seteuid?.(0) })
  }

  t.doesNotThrow(() => { syncDirectory(directory) })
})

const SYNC_HERE = "(await import('./lib/sync-directory.ts')).syncDirectory('.')"

for (const { error, status } of [{ error: 'EPERM', status: 0 }, { error: 'EOPNOTSUPP', status: 0 }, { error: 'EIO', status: 1 }]) {
  t.test(`A sync that ends with ${error} ${status === 0 ? 'is left' : 'is a fault'}`, async (t) => {
    if (!canTrace(t)) return

    const child = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', `inject=fsync:error=${error}`, process.execPath, '--input-type=module', '-e', SYNC_HERE], { cwd: REPOSITORY })

    t.equal(child.status, status, child.stderr.toString())
  })
}
