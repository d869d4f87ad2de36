/** Called with the id of the user whose sessions or rights have changed; with none, those of anybody may have. */
export type OnChange = (userId?: string) => void

/** What the database tells of changes that anybody has committed. */
export interface Announcements {
  /** Whether every change that was committed until now is told of, or is about to be within moments. May tell of them. */
  isHeard: () => boolean
  subscribe: (onChange: OnChange) => void
}
