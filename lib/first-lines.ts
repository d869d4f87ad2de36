import { DatabaseSync } from 'node:sqlite'

/** Remembers the names of a file of any length, on the disk where they are many. */
export interface FirstLines {
  /** The number of the line that had the name first: this one, unless there was another. */
  find (name: string, line: number): number
  close (): void
}

export function createFirstLines (): FirstLines {
  const database = new DatabaseSync('') // a temporary file that nobody else sees and that is gone afterwards
  database.exec(`
    pragma journal_mode = off;
    pragma synchronous = off;
    create table first_lines (name text primary key, line integer not null) without rowid;
    begin`)
  const remember = database.prepare('insert into first_lines values (?, ?) on conflict do nothing')
  const find = database.prepare('select line from first_lines where name = ?')

  return {
    find (name, line) {
      if (remember.run(name, line).changes === 1) return line
      return (find.get(name) as { line: number }).line
    },

    close () { database.close() }
  }
}
