import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isAnswer, type SystemCall } from './system-calls.ts'

/** Whether a change that no sync has reached is on the disk nevertheless, by its number. */
export type Luck = (change: number) => boolean

/** The files of one directory, by their paths. */
export type Files = Map<string, Uint8Array>

export interface Disk {
  apply: (call: SystemCall) => void
  /** What is there after a power cut: everything up to the last sync of each file, and of the directory for their names. */
  afterCut: (luck: Luck) => Files
}

/** What changes in memory at once and on the disk with a sync. */
interface Cached<Content> {
  change: (change: (content: Content) => void) => void
  sync: () => void
  afterCut: (luck: Luck) => Content
}

type Bytes = Uint8Array<ArrayBuffer>

// For what SQLite writes here it is plenty.
const LONGEST_FILE = 64 * 1024 * 1024

/** Goes through the calls and stops before each that sends an answer, which it counts. */
export function * untilAnswers (disk: Disk, calls: SystemCall[]): Generator<number> {
  let answers = 0
  for (const call of calls) {
    if (isAnswer(call)) yield ++answers
    disk.apply(call)
  }
}

/** A disk with nothing but that directory, whose files are on it by now. */
export function createDisk (directory: string): Disk {
  const there = readdirSync(directory).map((name) => join(directory, name))
  const names = createCached(new Map(there.map((path) => [path, createFile(readFileSync(path))])), (content) => new Map(content))

  const findFile = (path: string): Cached<Bytes> | undefined => names.afterCut(() => true).get(path)

  function setFile (path: string, file: Cached<Bytes>): void {
    names.change((content) => { content.set(path, file) })
  }

  /** The file that is written to: the first write makes it. */
  function openFile (path: string): Cached<Bytes> {
    const file = findFile(path) ?? createFile(new Uint8Array())
    if (findFile(path) === undefined) setFile(path, file)
    return file
  }

  function changeNames (name: string, [from = '', to = '']: string[]): void {
    if (dirname(from) !== directory) return
    const file = findFile(from)
    if (file === undefined) throw new Error(`${name} of ${from}, which was never written`)
    if (to !== '') setFile(to, file)
    if (!name.startsWith('link')) names.change((content) => { content.delete(from) })
  }

  return {
    apply ({ name, target, texts, number }) {
      if (target === undefined) return changeNames(name, texts.map(String))
      if (target === directory) return names.sync()
      if (dirname(target) !== directory) return
      const file = openFile(target)
      if (name.endsWith('sync')) return file.sync()
      if (name === 'ftruncate') return file.change((content) => { content.buffer.resize(number) })
      const data = Buffer.concat(texts)
      file.change((content) => { overwrite(content, data, name === 'pwrite64' ? number : content.length) })
    },

    afterCut: (luck) => new Map([...names.afterCut(luck)].map(([path, file]) => [path, file.afterCut(luck)]))
  }
}

function createCached<Content> (content: Content, copy: (content: Content) => Content): Cached<Content> {
  let changes: Array<(content: Content) => void> = []
  return {
    change: (change) => { changes.push(change) },

    sync () {
      for (const change of changes) change(content)
      changes = []
    },

    afterCut (luck) {
      const left = copy(content)
      for (const change of changes.filter((_change, number) => luck(number))) change(left)
      return left
    }
  }
}

const createFile = (content: Uint8Array): Cached<Bytes> => createCached(copyBytes(content), copyBytes)

/** A copy that can grow. */
function copyBytes (content: Uint8Array): Bytes {
  const copy = new Uint8Array(new ArrayBuffer(content.length, { maxByteLength: LONGEST_FILE }))
  copy.set(content)
  return copy
}

function overwrite (content: Bytes, data: Uint8Array, at: number): void {
  if (at + data.length > content.length) content.buffer.resize(at + data.length)
  content.set(data, at)
}
