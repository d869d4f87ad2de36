// W3C Trace Context section 3.2: a later version may say more after the flags.
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/
const VERSION = '00'

/** The trace that a request is part of by its `traceparent` header; undefined if there is none or it is malformed. */
export function readTraceId (traceparent: string | string[] | undefined): string | undefined {
  const [, version, traceId, more] = TRACEPARENT.exec(String(traceparent)) ?? []
  return version === VERSION && more !== undefined ? undefined : traceId
}
