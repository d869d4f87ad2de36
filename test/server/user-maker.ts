import { OPERATOR, withService } from '../../cli/context.ts'
import { PASSWORD } from '../command.ts'

const USERS = 2000

/** Makes admins as the command does, one after the other, and prints the name of each that is there. */
await withService(async ({ users, passwordHasher }) => {
  const passwordHash = await passwordHasher.hash(PASSWORD)
  for (let index = 0; index < USERS; index++) {
    const username = `${process.argv[2]}-${index}`
    await users.create({ username, email: `${username}@example.com`, passwordHash, roles: ['admin'] }, OPERATOR)
    process.stdout.write(`${username}\n`)
  }
})
