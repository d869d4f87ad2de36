import fp from 'fastify-plugin'
import { createVault, type Vault } from '../../lib/vault.ts'

declare module 'fastify' {
  interface FastifyInstance {
    vault: Vault
  }
}

export default fp(async (fastify) => {
  fastify.decorate('vault', createVault(fastify.secrets))
}, { name: 'vault', fastify: '5.x', dependencies: ['database'] })
