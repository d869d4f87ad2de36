import type { Announcements, OnChange } from './announcements.ts'
import type { SqliteReader } from './sqlite-reader.ts'

// More changes at once make everything be forgotten. Triggers keep ten times as many.
const LOOKED_AT = 100

/** What triggers have written down is looked at whenever somebody asks, if anything was committed since. */
export function createSqliteAnnouncements ({ first, version }: Pick<SqliteReader, 'first' | 'version'>): Announcements {
  const subscribers: OnChange[] = []
  let versionOfLast: number | undefined
  let last = 0

  function announce (userId?: string): void {
    for (const onChange of subscribers) onChange(userId)
  }

  function announceOne (id: number): void {
    const change = first<{ user_id: string | null }>('select user_id from announced_changes where id = ?', [id])
    announce(change?.user_id ?? undefined)
  }

  function announceUntil (newest: number): void {
    if (newest < last || newest > last + LOOKED_AT) announce()
    else for (let id = last + 1; id <= newest; id++) announceOne(id)
  }

  return {
    isHeard () {
      const current = version()
      if (current === versionOfLast) return true
      const { newest } = first<{ newest: number | null }>('select max(id) as newest from announced_changes', []) as { newest: number | null }
      announceUntil(newest ?? 0)
      last = newest ?? 0
      versionOfLast = current
      return true
    },

    subscribe: (onChange) => { subscribers.push(onChange) }
  }
}
