/**
 * The result of the work, if it comes in time. When the event loop is late, what has arrived meanwhile has come in time.
 *
 * @throws Error when it does not
 */
export async function within<Result> (ms: number, work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    setImmediate(() => { reject(new Error(`no answer within ${ms} ms`)) }) // first what has arrived is read
  }, ms)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
