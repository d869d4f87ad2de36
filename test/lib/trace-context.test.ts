import t from 'tap'
import { readTraceId } from '../../lib/trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

for (const { name, header } of [
  { name: 'as the standard has it', header: `00-${TRACE}-${PARENT}-01` },
  { name: 'of a later version', header: `cc-${TRACE}-${PARENT}-01` },
  { name: 'of a later version that says more', header: `cc-${TRACE}-${PARENT}-01-what-the-future-brings` }
]) {
  t.test(`a traceparent ${name} names its trace`, async (t) => {
    t.equal(readTraceId(header), TRACE)
  })
}

for (const { name, header } of [
  { name: 'none', header: undefined },
  { name: 'nothing', header: '' },
  { name: 'capitals', header: `00-${TRACE.toUpperCase()}-${PARENT}-01` },
  { name: 'a trace of zeros', header: `00-${'0'.repeat(32)}-${PARENT}-01` },
  { name: 'a parent of zeros', header: `00-${TRACE}-${'0'.repeat(16)}-01` },
  { name: 'a version that is forbidden', header: `ff-${TRACE}-${PARENT}-01` },
  { name: 'more than its version has', header: `00-${TRACE}-${PARENT}-01-more` },
  { name: 'more than its version has, without a dash', header: `cc-${TRACE}-${PARENT}-01.more` },
  { name: 'a trace that is too short', header: `00-${TRACE.slice(1)}-${PARENT}-01` },
  { name: 'something else than digits', header: `00-${TRACE.slice(1)}\n-${PARENT}-01` },
  { name: 'something before it', header: ` 00-${TRACE}-${PARENT}-01` },
  { name: 'two of them', header: `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01` }
]) {
  t.test(`a traceparent with ${name} is ignored`, async (t) => {
    t.equal(readTraceId(header), undefined)
  })
}
