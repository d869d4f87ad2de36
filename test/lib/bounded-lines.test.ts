import fc from 'fast-check'
import t from 'tap'
import { readLines } from '../../lib/bounded-lines.ts'
import { collectGarbage } from '../collect-garbage.ts'

/** The lines of chunks; null for one that is too long. */
async function linesOf (chunks: string[], maxBytes = 10): Promise<Array<[number, string | null]>> {
  const lines: Array<[number, string | null]> = []
  for await (const { number, bytes } of readLines(stream(chunks), maxBytes)) lines.push([number, bytes === undefined ? null : bytes.toString()])
  return lines
}

async function * stream (chunks: string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

const cases = [
  { name: 'nothing', chunks: [], lines: [] },
  { name: 'an empty chunk', chunks: [''], lines: [] },
  { name: 'lines in one chunk', chunks: ['a\nbc\n'], lines: [[1, 'a'], [2, 'bc']] },
  { name: 'a last line without a line feed', chunks: ['a\nbc'], lines: [[1, 'a'], [2, 'bc']] },
  { name: 'empty lines', chunks: ['\n\na\n\n'], lines: [[1, ''], [2, ''], [3, 'a'], [4, '']] },
  { name: 'a line over several chunks', chunks: ['a', 'b', '', 'c\nd'], lines: [[1, 'abc'], [2, 'd']] },
  { name: 'a line as long as it may be', chunks: ['1234567890\n'], lines: [[1, '1234567890']] },
  { name: 'a line that is too long', chunks: ['12345678901\nb\n'], lines: [[1, null], [2, 'b']] },
  { name: 'a line that is too long over several chunks', chunks: ['123456', '789012', '3\nb'], lines: [[1, null], [2, 'b']] },
  { name: 'a last line that is too long', chunks: ['a\n', '123456', '789012'], lines: [[1, 'a'], [2, null]] }
] as const
for (const { name, chunks, lines } of cases) {
  t.test(`readLines gives ${name}`, async (t) => {
    t.same(await linesOf([...chunks]), lines)
  })
}

t.test('readLines tells how much of the file is read', async (t) => {
  const read: number[] = []
  for await (const { readBytes } of readLines(stream(['a\nbc', 'd\n\nlonger than may be\n', 'x']), 10)) read.push(readBytes)

  t.same(read, [2, 6, 7, 26, 27])
})

t.test('readLines gives the same wherever the chunks end', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('a', 'é', '\n', '12345'), { maxLength: 30 }), fc.nat(12), async (parts, maxBytes) => {
    const text = parts.join('')
    const expected = text.split('\n').map((line, index) => [index + 1, Buffer.byteLength(line) > maxBytes ? null : line])
    if (text.endsWith('\n') || text === '') expected.pop()

    t.strictSame(await linesOf(parts, maxBytes), expected)
  }), { numRuns: 300 })
})

t.test('readLines keeps nothing of a line that is too long', async (t) => {
  const MIB = 1024 * 1024
  let held = 0
  async function * endlessLine (): AsyncGenerator<Buffer> {
    await collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    for (let chunk = 0; chunk < 100; chunk++) yield Buffer.alloc(MIB, 'x')
    await collectGarbage()
    held = process.memoryUsage().arrayBuffers - before
  }

  const lines: unknown[] = []
  for await (const { bytes } of readLines(endlessLine(), 16 * 1024)) lines.push(bytes)

  t.same(lines, [undefined])
  t.ok(held < 10 * MIB, `${Math.round(held / MIB)} of 100 MiB`)
})
