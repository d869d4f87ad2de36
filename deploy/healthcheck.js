// Asks the service of the same container whether it can serve. As light as can be, since it runs every few seconds: in plain
// JavaScript, and without an import of what would load all that Node offers for HTTP.
const { get } = process.getBuiltinModule('node:http')

const { HOST, PORT } = process.env
const LOOPBACK = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const TIMEOUT_MS = 2500

const request = get({ host: LOOPBACK[HOST] ?? HOST, port: PORT, path: '/health/ready', timeout: TIMEOUT_MS }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1)
})
request.on('error', () => { process.exit(1) })
request.on('timeout', () => { process.exit(1) })
