/** Makes callers wait for each other, first come, first served; each resolves to what ends its turn. */
export function createTurns (): () => Promise<() => void> {
  let last: Promise<void> = Promise.resolve()

  return async () => {
    const previous = last
    const { promise, resolve } = Promise.withResolvers<void>()
    last = promise
    await previous
    return resolve
  }
}
