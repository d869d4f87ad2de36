import { DatabaseSync } from 'node:sqlite'
import { doJob } from './child.ts'

export interface UpdatesJob {
  /** Of a file that does not exist yet, on the disk of the service's database. */
  path: string
  seconds: number
}

const ROWS = 1000

/** What the disk gives to a single writer: updates of one row per second, each on the disk before the next. Commits that are shared may pass it. */
doJob(async ({ path, seconds }: UpdatesJob): Promise<number> => {
  const database = new DatabaseSync(path)
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    create table counters (id integer primary key, value integer not null) strict`)
  const insert = database.prepare('insert into counters (id, value) values (?, 0)')
  database.exec('begin')
  for (let id = 0; id < ROWS; id++) insert.run(id)
  database.exec('commit')

  const update = database.prepare('update counters set value = value + 1 where id = ?')
  const startedAt = performance.now()
  const end = startedAt + seconds * 1000
  let updates = 0
  while (performance.now() < end) update.run(updates++ % ROWS)
  const perSecond = updates / (performance.now() - startedAt) * 1000
  database.close()
  return perSecond
})
