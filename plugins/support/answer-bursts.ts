import fp from 'fastify-plugin'

/**
 * Sends the answers of one turn of the event loop right after each other. A client or gateway that sleeps is woken by
 * the first and finds the others there; woken by each, on the same machine, it costs as much as all the rest of a request.
 */
export default fp(async (fastify) => {
  let waiting: Array<() => void> = []

  function sendAll (): void {
    const ready = waiting
    waiting = []
    for (const send of ready) send()
  }

  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (waiting.length === 0) setImmediate(sendAll)
    waiting.push(() => {
      try {
        done(null, payload)
      } catch (error) {
        // Here nobody else would catch it: it would end the process, and the others of the burst.
        request.log.error(error, 'An answer could not be sent')
        reply.raw.destroy()
      }
    })
  })
}, { name: 'answer-bursts', fastify: '5.x', dependencies: ['refusal-pace'] })
