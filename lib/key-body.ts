import type { KeyBody } from '../schemas/keys.ts'
import { toTime } from './user.ts'

interface DescribedKey {
  kid: string
  alg: string
  createdAt: number
  activatesAt: number
}

/** A believed key as the API and the command show one. */
export function toKeyBody (key: DescribedKey, current: DescribedKey): KeyBody {
  return {
    kid: key.kid,
    alg: key.alg,
    state: key.kid === current.kid ? 'signs' : key.activatesAt > current.activatesAt ? 'published' : 'retired',
    created_at: toTime(key.createdAt),
    activates_at: toTime(key.activatesAt)
  }
}
