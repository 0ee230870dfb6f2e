'use strict'
/**
 * CPU seconds of Segment's Mixpanel destination up to the HTTP call: match, map, check, build the records.
 * `node bench.cjs FILE ROUNDS SIZE`: FILE holds {settings, subscriptions, events}; SIZE events are a batch, 1
 * runs each event alone. Prints one line {"cpu_seconds", "records"} per round. NODE_PATH names the packages.
 */
const fs = require('fs')
const path = require('path')

const core = path.dirname(require.resolve('@segment/actions-core'))
const { Response } = require(path.join(core, 'fetch.js'))
const { Action } = require(path.join(core, 'destination-kit/action.js'))
const { Destination } = require(path.join(core, 'destination-kit'))
const mixpanel = require('@segment/action-destinations/dist/destinations/mixpanel').default

let records = 0
// No request is built and nothing is written as JSON: the comparison ends before that on both sides.
Action.prototype.createRequestClient = () => async (_url, { json }) => {
  records += json ? json.length : 1
  return new Response('{}')
}

async function round(destination, settings, events, size) {
  records = 0
  const started = process.cpuUsage()
  if (size > 1) {
    for (let at = 0; at < events.length; at += size) {
      await destination.onBatch(events.slice(at, at + size), settings)
    }
  } else {
    for (const event of events) {
      await destination.onEvent(event, settings)
    }
  }
  const { user, system } = process.cpuUsage(started)
  return { cpu_seconds: (user + system) / 1e6, records }
}

async function main([file, rounds, size]) {
  const { settings, subscriptions, events } = JSON.parse(fs.readFileSync(file, 'utf8'))
  const destination = new Destination(mixpanel)
  for (let i = 0; i < Number(rounds); i++) {
    console.log(JSON.stringify(await round(destination, { ...settings, subscriptions }, events, Number(size))))
  }
}

void main(process.argv.slice(2))
