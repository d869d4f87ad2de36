import { availableParallelism } from 'node:os'
import { verify } from '@node-rs/argon2'
import { doJob } from './child.ts'

export interface Argon2Job {
  hash: string
  password: string
  seconds: number
}

/** The limit of every log-in: argon2 verifies per second, as many in flight as there are cores, and nothing else. */
doJob(async ({ hash, password, seconds }: Argon2Job): Promise<number> => {
  const startedAt = performance.now()
  const end = startedAt + seconds * 1000
  let verified = 0

  async function lane (): Promise<void> {
    while (performance.now() < end) {
      if (!await verify(hash, password)) throw new Error('The password does not match')
      verified++
    }
  }

  await Promise.all(Array.from({ length: availableParallelism() }, lane))
  return verified / (performance.now() - startedAt) * 1000
})
