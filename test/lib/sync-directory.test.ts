import { chmodSync, chownSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { syncDirectory } from '../../lib/sync-directory.ts'
import { canRun, temporaryDirectory } from '../helper.ts'

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
