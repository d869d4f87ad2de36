import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Test } from 'tap'

export interface ReceivedMail extends Email {
  /** To whom the mail server is to deliver it, whatever the mail says. */
  recipients: string[]
}

export interface MailServer {
  /** For `SMTP_URL`. */
  url: string
  /** All that came so far, oldest first. */
  received: ReceivedMail[]
  /** The oldest mail that this was not asked for yet; waits until there is one. */
  next: () => Promise<ReceivedMail>
  close: () => Promise<void>
}

interface MailServerOptions {
  port?: number
  /** Runs when a mail is there, before the server says that it has it. */
  beforeAnswer?: (mail: ReceivedMail) => Promise<void>
  /** What else smtp-server is told. */
  options?: SMTPServerOptions
}

/** A real mail server on a port of the loopback, which is closed when the test ends. */
export async function startMailServer (t: Test, { port = 0, beforeAnswer = async () => {}, options = {} }: MailServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = []
  const arrivals = new EventEmitter()
  let given = 0
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    onData (stream, session, answer) {
      buffer(stream).then(async (source) => {
        const mail = { ...await PostalMime.parse(source), recipients: session.envelope.rcptTo.map(({ address }) => address) }
        await beforeAnswer(mail)
        received.push(mail)
        arrivals.emit('mail')
      }).then(() => { answer() }, answer)
    },
    ...options
  })
  server.on('error', () => {}) // a client that is killed resets its connection
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')

  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => await (closed ??= new Promise((resolve) => { server.close(() => { resolve() }) }))
  t.teardown(close)

  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    received,
    async next () {
      const index = given++
      while (received[index] === undefined) await once(arrivals, 'mail')
      return received[index]
    },
    close
  }
}

/** The token in the link of a mail. */
export function tokenIn ({ text = '' }: { text?: string | undefined }): string {
  const token = /#token=([\w-]{43})$/m.exec(text)?.[1]
  if (token === undefined) throw new Error(`there is no link in: ${text}`)
  return token
}
