const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether it can be an identifier of ours: other text must not reach the database. */
export function isUuid (text: string): boolean {
  return UUID.test(text)
}
