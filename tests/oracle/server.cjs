'use strict'
/**
 * Segment's engine behind a pipe. Each line of standard input is a JSON array of jobs, each line of standard
 * output the JSON array of their results in the same order. NODE_PATH names the installed packages.
 *
 * What would make two runs differ is pinned before the packages are loaded: the clock, the dice, and the
 * network, which is a recorder that answers 200.
 */
const path = require('path')
const readline = require('readline')

const NOW_MS = 1767323045678
const HEADERS = ['authorization', 'content-type', 'user-agent']

const RealDate = Date
globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    parts.length ? super(...parts) : super(NOW_MS)
  }
  static now() {
    return NOW_MS
  }
}
Math.random = () => 0.123456789
console.warn = console.error = () => {} // ajv's remarks on field tables

const core = path.dirname(require.resolve('@segment/actions-core'))
const recorded = []
require(path.join(core, 'fetch.js')).default = async (request) => {
  recorded.push(await recording(request))
  const { Response } = require(path.join(core, 'fetch.js'))
  return new Response('{"code":200,"status":"OK"}', {
    status: 200,
    headers: { 'content-type': 'application/json' }
  })
}

const { transform, transformBatch } = require(path.join(core, 'mapping-kit'))
const { Action } = require(path.join(core, 'destination-kit/action.js'))
const { defaultValues } = require('@segment/actions-core')
const { Destination } = require(path.join(core, 'destination-kit'))
const { parseFql, validate } = require('@segment/destination-subscriptions')

async function recording(request) {
  const body = await request.text()
  const headers = {}
  for (const name of HEADERS) {
    if (request.headers.get(name) !== null) headers[name] = request.headers.get(name)
  }
  const form = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  return {
    method: request.method,
    url: request.url,
    headers,
    body: JSON.parse(form ? new URLSearchParams(body).get('data') : body)
  }
}

/** An error as {failed: class, message, messages?, status?}; messages are those of an aggregate, in order. */
function failure(error) {
  const parts = typeof error?.[Symbol.iterator] === 'function' ? [...error] : undefined
  return {
    failed: error?.name ?? 'Error',
    message: parts ? parts.map((part) => part.message).join(' ') : error?.message,
    messages: parts?.map((part) => part.message),
    status: error?.status
  }
}

const given = (value) => (value === undefined || typeof value === 'function' ? { undefined: true } : { value })

let mixpanel

function destination() {
  mixpanel ??= require('@segment/action-destinations/dist/destinations/mixpanel').default
  return new Destination(mixpanel)
}

const OPERATIONS = {
  /** What a crash looks like from outside. */
  exit: () => process.exit(1),

  /** What Segment declares of Mixpanel (Actions). */
  declarations: () => {
    const { actions, authentication, presets } = destination().definition
    const fields = Object.entries(actions).map(([name, action]) => [name, Object.entries(action.fields)])
    return given({ actions: Object.fromEntries(fields), settings: Object.entries(authentication.fields), presets })
  },

  transform: ({ mapping, data, batch }) => given((batch ? transformBatch : transform)(mapping, data)),

  match: ({ query, event }) => {
    const tree = parseFql(query)
    return tree.error ? { failed: 'Error', message: tree.error.message } : { value: validate(tree, event) }
  },

  parse: ({ query }) => {
    const tree = parseFql(query)
    return tree.error ? { failed: 'Error', message: tree.error.message } : { value: tree }
  },

  /** Mapped payloads through an action that has these fields: what it would be handed, or the error. */
  fields: async ({ fields, payload, batch }) => {
    const perform = (_request, { payload }) => payload
    const action = new Action('oracle', { title: uniqueTitle(), fields, perform, performBatch: perform }, undefined)
    let handed = { undefined: true }
    action.definition.perform = (_request, bundle) => void (handed = given(bundle.payload))
    action.definition.performBatch = (_request, bundle) => void (handed = given(bundle.payload[0]))
    const bundle = { mapping: { '@path': '$.' }, settings: {} }
    if (!batch) {
      await action.execute({ ...bundle, data: payload })
      return handed
    }
    const [result] = await action.executeBatch({ ...bundle, data: [payload] })
    return result.status === 200 ? handed : { failed: 'AggregateAjvError', message: result.errormessage }
  },

  /** Events through subscriptions of Mixpanel (Actions): the requests they become and what became of each. */
  mixpanel: async ({ settings, subscriptions: changed, events, batch }) => {
    recorded.length = 0
    const runner = destination()
    const subscriptions = changed.map((subscription) => ({ ...subscription, mapping: mappingOf(subscription) }))
    const inputs = batch ? [events] : events
    const results = []
    for (const input of inputs) {
      const before = recorded.length
      try {
        const run = batch ? runner.onBatch(input, { ...settings, subscriptions }) : runner.onEvent(input, { ...settings, subscriptions })
        results.push({ results: (await run).map(outcome) })
      } catch (error) {
        results.push(failure(error))
      }
      results.at(-1).requests = recorded.slice(before)
    }
    return { value: results }
  }
}

/** The pre-filled mapping with a subscription's changes; a change to null takes a field out. */
function mappingOf({ partnerAction, changes }) {
  const mapping = { ...defaultValues(destination().definition.actions[partnerAction].fields), ...changes }
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== null))
}

/** Results without what was sent and answered: the requests say that. */
function outcome(result) {
  if (result?.multistatus) {
    return result.multistatus.map(({ status, errormessage }) => ({ status, errormessage }))
  }
  return { output: result?.output, error: result?.error?.message }
}

let titles = 0
/** ajv keeps a schema under its action's title. */
const uniqueTitle = () => `fields ${titles++}`

async function answer(job) {
  try {
    return await OPERATIONS[job.op](job)
  } catch (error) {
    return failure(error)
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const started = process.cpuUsage()
    const answers = []
    for (const job of JSON.parse(line)) {
      answers.push(await answer(job))
    }
    const { user, system } = process.cpuUsage(started)
    process.stdout.write(JSON.stringify({ answers, cpu_us: user + system }) + '\n')
  }
}

void main()
