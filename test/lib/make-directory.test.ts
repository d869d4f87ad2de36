import fs, { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { makeDirectory } from '../../lib/make-directory.ts'
import { temporaryDirectory } from '../helper.ts'

t.test('A directory is made with those above it, for their owner only', async (t) => {
  const directory = temporaryDirectory(t)

  makeDirectory(join(directory, 'var', 'data'))

  t.equal(statSync(join(directory, 'var')).mode & 0o777, 0o700)
  t.equal(statSync(join(directory, 'var', 'data')).mode & 0o777, 0o700)
})

t.test('A directory that is there stays as it is', async (t) => {
  const directory = join(temporaryDirectory(t), 'data')
  mkdirSync(directory, { mode: 0o755 })
  const { mode } = statSync(directory)

  makeDirectory(directory)

  t.equal(statSync(directory).mode, mode)
})

t.test('A directory that another process makes meanwhile is as good', async (t) => {
  const directory = join(temporaryDirectory(t), 'data')
  const { mkdirSync } = fs
  const put = (value: typeof fs.mkdirSync): void => {
    fs.mkdirSync = value
    syncBuiltinESMExports()
  }
  t.teardown(() => { put(mkdirSync) })
  put(((path, options) => {
    mkdirSync(directory)
    return mkdirSync(path, options)
  }) as typeof fs.mkdirSync)

  makeDirectory(directory)

  t.ok(existsSync(directory))
})

t.test("A directory that can't be made", async (t) => {
  const file = join(temporaryDirectory(t), 'file')
  writeFileSync(file, '')

  t.throws(() => { makeDirectory(join(file, 'data')) }, { code: 'ENOTDIR' }, 'because a file is in the way')
  t.throws(() => { makeDirectory('/proc/latchkey/data') }, { code: 'ENOENT' }, 'because the file system makes none')
})
