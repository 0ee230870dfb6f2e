// The Node SDK told over a pipe what to send: settings in the first line, then lists of calls, each flushed.
const { createInterface } = require('node:readline')
const { Analytics } = require('@segment/analytics-node')

const say = (what) => console.log(JSON.stringify(what))

const makeCall = (analytics, { type, ...call }) => {
  if (call.timestamp) call.timestamp = new Date(call.timestamp)
  analytics[type](call)
}

const start = ({ writeKey, host, batch }) => {
  const analytics = new Analytics({ writeKey, host, flushAt: batch })
  analytics.on('http_request', () => say({ request: true }))
  analytics.on('error', ({ reason }) => {
    const status = /^\[(\d+)\]/.exec(reason?.message ?? '')?.[1]
    say({ failed: 1, status: status ? Number(status) : null, why: String(reason) })
  })
  return analytics
}

const main = async () => {
  let analytics
  for await (const line of createInterface({ input: process.stdin })) {
    if (!analytics) {
      analytics = start(JSON.parse(line))
      continue
    }
    JSON.parse(line).forEach((call) => makeCall(analytics, call))
    await analytics.flush()
    say({ flushed: true })
  }
  await analytics.closeAndFlush()
}

main()
