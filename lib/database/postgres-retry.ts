import { setTimeout as pause } from 'node:timers/promises'
import { Kysely, type TransactionBuilder } from 'kysely'
import { isConflict } from './postgres-errors.ts'
import type { Tables } from './tables.ts'

const MOST_ATTEMPTS = 4
// Those who met once would meet again if all came back at once.
const LONGEST_PAUSE_MS = 20

/** Does the work again when it conflicts with that of others, a few times. */
export async function retryConflicts<Result> (work: () => Promise<Result>, attempts = MOST_ATTEMPTS): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!isConflict(error) || attempts === 1) throw error
    await pause(Math.random() * LONGEST_PAUSE_MS)
    return await retryConflicts(work, attempts - 1)
  }
}

/** A database whose transactions are done again from their beginning when they conflict with others. */
export class RetryingKysely extends Kysely<Tables> {
  override transaction (): TransactionBuilder<Tables> {
    const builder = super.transaction()
    const execute = builder.execute.bind(builder)
    builder.execute = async (work) => await retryConflicts(async () => await execute(work))
    return builder
  }
}
