import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isAnswer, type SystemCall } from './system-calls.ts'

/** Whether a change that no sync has reached is on the disk nevertheless, by its number. */
export type Luck = (change: number) => boolean

/** Files by their paths. */
export type Files = Map<string, Uint8Array>

export interface Disk {
  apply: (call: SystemCall) => void
  /** What is there after a power cut: everything up to the last sync of each file, and of its directory for its name. */
  afterCut: (luck: Luck) => Files
}

/** What changes in memory at once and on the disk with a sync. */
interface Cached<Content> {
  change: (change: (content: Content) => void) => void
  sync: () => void
  afterCut: (luck: Luck) => Content
}

type Bytes = Uint8Array<ArrayBuffer>
/** What has a name in a directory, by its path; nothing where that is a directory too. */
type Names = Map<string, Cached<Bytes> | undefined>

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

/** A disk with nothing but that directory, and on it by now the files that are there. */
export function createDisk (root: string): Disk {
  const directories = new Map<string, Cached<Names>>()
  addDirectory(root)
  for (const name of readdirSync(root)) setName(join(root, name), createFile(readFileSync(join(root, name))))
  directories.get(root)?.sync()

  function addDirectory (path: string): void {
    directories.set(path, createCached<Names>(new Map(), (names) => new Map(names)))
  }

  function setName (path: string, file: Cached<Bytes> | undefined): void {
    directories.get(dirname(path))?.change((names) => { names.set(path, file) })
  }

  const findFile = (path: string): Cached<Bytes> | undefined => directories.get(dirname(path))?.afterCut(() => true).get(path)

  /** The file that is written to: the first write makes it. */
  function openFile (path: string): Cached<Bytes> {
    const file = findFile(path)
    if (file !== undefined) return file
    setName(path, createFile(new Uint8Array()))
    return openFile(path)
  }

  function changeNames (name: string, [from = '', to = '']: string[]): void {
    const directory = directories.get(dirname(from))
    if (directory === undefined) return
    if (name.startsWith('mkdir')) {
      addDirectory(from)
      return setName(from, undefined)
    }
    if (to !== '') setName(to, findFile(from))
    if (!name.startsWith('link')) directory.change((names) => { names.delete(from) })
  }

  function filesIn (directory: string, luck: Luck): Array<[string, Bytes]> {
    const names = directories.get(directory)?.afterCut(luck) ?? new Map<never, never>()
    return [...names].flatMap(([path, file]) => file === undefined ? filesIn(path, luck) : [[path, file.afterCut(luck)]])
  }

  return {
    apply ({ name, target, texts, number }) {
      if (target === undefined) return changeNames(name, texts.map(String))
      if (directories.has(target)) return directories.get(target)?.sync()
      if (!directories.has(dirname(target))) return
      const file = openFile(target)
      if (name.endsWith('sync')) return file.sync()
      if (name === 'ftruncate') return file.change((content) => { content.buffer.resize(number) })
      const data = Buffer.concat(texts)
      file.change((content) => { overwrite(content, data, name === 'pwrite64' ? number : content.length) })
    },

    afterCut: (luck) => new Map(filesIn(root, luck))
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
