import { once } from 'node:events'
import { createReadStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createSharedFiles } from '../../lib/shared-files.ts'

t.test('All who want a file have the same copy of it, and no stream is left open', async (t) => {
  const path = join(t.testdir({ file: 'of use to everybody' }), 'file')
  const share = createSharedFiles()
  const streams = [createReadStream(path), createReadStream(path), createReadStream(path)]
  const closed = streams.map(async (stream) => await once(stream, 'close'))

  const [first, ...others] = await Promise.all(streams.map(async (stream) => await share(stream)))

  t.equal(String(first), 'of use to everybody')
  for (const other of others) t.equal(other, first)
  await Promise.all(closed)
})

t.test('A file that could not be read is read again by the next one', async (t) => {
  const path = join(t.testdir(), 'file')
  const share = createSharedFiles()
  await t.rejects(share(createReadStream(path)), { code: 'ENOENT' })

  writeFileSync(path, 'there it is')

  t.equal(String(await share(createReadStream(path))), 'there it is')
})
