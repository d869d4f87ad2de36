import fp from 'fastify-plugin'
import type { Mail } from '../../lib/due-mail.ts'

export interface Mailer {
  /**
   * Resolves when the mail server has taken the mail. Without a mail server the mail is logged outside
   * production, and dropped with a warning in production.
   */
  send (mail: Mail): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    mail: Mailer
  }
}

// Each step is short enough for a process that stops to wait for it, and all of them for the lease of a message.
const STEP_MS = 8000
const TOTAL_MS = 40_000

export default fp(async (fastify) => {
  const { config: { production, mail: { smtpUrl, from } }, log } = fastify

  if (smtpUrl === undefined) {
    fastify.decorate('mail', {
      async send ({ kind, to, subject, text }) {
        if (production) log.warn({ kind }, 'A mail was dropped because SMTP_URL is not set')
        else log.info({ to, subject, text }, 'Mail that would be sent')
      }
    })
    return
  }

  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    disableFileAccess: true,
    disableUrlAccess: true
  })
  const closing = new AbortController()
  fastify.addHook('preClose', async () => {
    setTimeout(() => { closing.abort() }, STEP_MS).unref()
  })
  fastify.addHook('onClose', async () => { transport.close() })

  fastify.decorate('mail', {
    async send ({ to, subject, text, html }) {
      await transport.sendMail({
        from,
        to: { name: '', address: to },
        subject,
        text,
        html,
        headers: { 'auto-submitted': 'auto-generated' }, // RFC 3834: nobody's absence is to answer it
        signal: AbortSignal.any([AbortSignal.timeout(TOTAL_MS), closing.signal])
      })
    }
  })
}, { name: 'mail', fastify: '5.x', dependencies: ['config'] })
