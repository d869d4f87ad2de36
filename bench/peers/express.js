// Log-in and profile as an Express application of today has them: https://expressjs.com, https://github.com/auth0/node-jsonwebtoken
import { DatabaseSync } from 'node:sqlite'
import { verify } from '@node-rs/argon2'
import express from 'express'
import jwt from 'jsonwebtoken'

const { PORT, DATABASE, SECRET } = process.env
const LIFETIME_SECONDS = 3600

const database = new DatabaseSync(DATABASE)
const findByUsername = database.prepare('select id, password_hash from users where username = ?')
const findById = database.prepare('select id, username, email, full_name from users where id = ?')

const app = express()
app.disable('x-powered-by')
app.use(express.urlencoded({ extended: false }))

app.post('/token', async (request, response) => {
  const { username, password } = request.body
  const user = findByUsername.get(username)
  if (user === undefined || !await verify(user.password_hash, password)) {
    return response.status(400).json({ error: 'invalid_grant' })
  }
  const accessToken = jwt.sign({}, SECRET, { subject: user.id, expiresIn: LIFETIME_SECONDS })
  response.json({ access_token: accessToken, token_type: 'bearer', expires_in: LIFETIME_SECONDS })
})

function authenticate (request, response, next) {
  try {
    const [, token] = (request.headers.authorization ?? '').split(' ')
    request.auth = jwt.verify(token, SECRET, { algorithms: ['HS256'] })
    next()
  } catch {
    response.status(401).set('www-authenticate', 'Bearer').json({ error: 'invalid_token' })
  }
}

app.get('/users/me', authenticate, (request, response) => {
  const user = findById.get(request.auth.sub)
  if (user === undefined) return response.status(401).json({ error: 'invalid_token' })
  response.json(user)
})

app.listen(Number(PORT), '127.0.0.1')
