import fp from 'fastify-plugin'
import { createPasswordPolicy, type PasswordPolicy } from '../../lib/password-policy.ts'

declare module 'fastify' {
  interface FastifyInstance {
    passwordPolicy: PasswordPolicy
  }
}

export default fp(async (fastify) => {
  fastify.decorate('passwordPolicy', createPasswordPolicy({ minLength: fastify.config.passwordMinLength }))
}, { name: 'password-policy', fastify: '5.x', dependencies: ['config'] })
