import { closeSync, fsyncSync, openSync } from 'node:fs'

// Of a directory that may not be read, of Windows, and of file systems that have nothing to sync in one.
const CANT_BE_SYNCED: ReadonlyArray<string | undefined> = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP']

/** Puts the names in a directory on the disk, where that can be done: a power cut could lose a file whose content is there. */
export function syncDirectory (path: string): void {
  try {
    sync(path)
  } catch (error) {
    if (!CANT_BE_SYNCED.includes((error as NodeJS.ErrnoException).code)) throw error
  }
}

function sync (path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
