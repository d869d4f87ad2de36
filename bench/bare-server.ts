import { availableParallelism } from 'node:os'
import { verify } from '@node-rs/argon2'
import Fastify from 'fastify'
import { TokenResponseSchema } from '../schemas/token.ts'
import { UserSchema } from '../schemas/users.ts'

/** What the bare routes answer, and the one password that they check. */
export interface BareJob {
  profile: object
  tokens: object
  hash: string
  password: string
}

/** Lets through as many at a time as there are cores: with more the hashes are slower, all together. */
function createGate (): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: Array<() => void> = []
  let free = availableParallelism()
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => { waiting.push(resolve) })
    else free--
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}

async function serve ({ profile, tokens, hash, password }: BareJob): Promise<string> {
  const fastify = Fastify()
  const pass = createGate()
  fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
  fastify.get('/users/me', { schema: { response: { 200: UserSchema } } }, async () => profile)
  fastify.post('/token', { schema: { response: { 200: TokenResponseSchema } } }, async () => {
    if (!await pass(async () => await verify(hash, password))) throw new Error('The password does not match')
    return tokens
  })
  process.once('SIGTERM', () => { process.exit(0) })
  return await fastify.listen({ host: '127.0.0.1', port: 0 })
}

process.once('message', (job: BareJob) => {
  serve(job).then((url) => process.send?.(url), (error: unknown) => { throw error })
})
process.once('disconnect', () => { process.exit(0) })
