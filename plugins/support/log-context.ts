import fp from 'fastify-plugin'
import { readTraceId } from '../../lib/trace-context.ts'

/**
 * What is logged of a request names the trace that the gateway put it in. It is in no answer. It has to be there before any
 * handler for what is not found, which keeps the way to make loggers that it finds.
 */
export default fp(async (fastify) => {
  fastify.setChildLoggerFactory((logger, bindings, options, { headers }) => {
    const traceId = readTraceId(headers.traceparent)
    return logger.child(traceId === undefined ? bindings : { ...bindings, trace_id: traceId }, options)
  })
}, { name: 'log-context', fastify: '5.x' })
