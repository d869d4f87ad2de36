/** Redis was not asked, or did not answer as it should. What was asked may be done all the same. */
export class RedisAwayError extends Error {
  override readonly name = 'RedisAwayError'

  constructor (options?: ErrorOptions) {
    super('Redis is away', options)
  }
}
