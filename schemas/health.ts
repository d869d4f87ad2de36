import { Type } from '@sinclair/typebox'

export const LiveSchema = Type.Object({ status: Type.Literal('live') }, { title: 'Live' })

export const ReadySchema = Type.Object({ status: Type.Literal('ready') }, { title: 'Ready' })

export const NotReadySchema = Type.Object({
  status: Type.Literal('not_ready'),
  failed: Type.Array(Type.Union([Type.Literal('database'), Type.Literal('signing_keys'), Type.Literal('draining')]), {
    description: 'The checks that failed'
  })
}, { title: 'NotReady' })
