import { Type } from '@sinclair/typebox'

export const LiveSchema = Type.Object({ status: Type.Literal('live', { description: 'The process turns' }) }, { title: 'Live' })

export const ReadySchema = Type.Object({ status: Type.Literal('ready', { description: 'It can serve' }) }, { title: 'Ready' })

export const NotReadySchema = Type.Object({
  status: Type.Literal('not_ready', { description: 'Send it no requests' }),
  failed: Type.Array(Type.Union([Type.Literal('database'), Type.Literal('signing_keys'), Type.Literal('draining')]), {
    description: 'The checks that failed'
  })
}, { title: 'NotReady' })
