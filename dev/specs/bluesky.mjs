// needs: @atproto/api@0.19.0
// Bluesky's lexicons judge a recording of the simulator (MOORING_SIM_RECORD): what our adapter sent, and what the
// simulated server answered. The last argument is the recording. Exit status 1 when anything differs.
//
// Every call of a method must be one that a lexicon knows, with parameters and a body as it says; every success must
// answer as it says; every error must have a name. Calls of OAuth have no lexicon: their bodies are held against
// RFC 6749, RFC 9126 and RFC 9449 by hand.
import fs from 'node:fs'
import { jsonToLex, lexicons } from '@atproto/api'

const lines = fs.readFileSync(process.argv.at(-1), 'utf8').split('\n').filter(Boolean)
const calls = lines.map((line) => JSON.parse(line)).filter((one) => one.site === 'bluesky')
const complaints = new Map()
let judged = 0

for (const call of calls) {
  try {
    if (call.path.startsWith('/xrpc/')) judgeMethod(call, call.path.slice('/xrpc/'.length))
    else judgeOAuth(call)
  } catch (error) {
    const text = `${call.method} ${call.path} ${call.status}: ${error.message}`
    complaints.set(text, (complaints.get(text) ?? 0) + 1)
  }
}
for (const [text, count] of complaints) console.log(`${count} x ${text}`)
console.log(`${judged} judgements over ${calls.length} exchanges`)
process.exit(complaints.size > 0 || judged === 0 ? 1 : 0)

function check(holds, complaint) {
  judged += 1
  if (!holds) throw new Error(complaint)
}

function judgeMethod(call, nsid) {
  const method = lexicons.getDefOrThrow(nsid)
  check((method.type === 'query') === (call.method === 'GET'), 'another HTTP method than the lexicon has')
  const good = call.status >= 200 && call.status < 300
  const parameters = read(method, new URLSearchParams(call.query ?? ''))
  const deliberate = call.status === 400
  if (!deliberate) lexicons.assertValidXrpcParams(nsid, parameters)
  if (method.type === 'procedure' && method.input && good) {
    const type = call.request_headers['content-type'] ?? ''
    const wanted = method.input.encoding
    check(wanted === '*/*' || type.startsWith(wanted), `content type ${type}`)
    if (wanted === 'application/json') {
      lexicons.assertValidXrpcInput(nsid, jsonToLex(call.request_body))
      judged += 1
      const record = call.request_body.record
      if (record) lexicons.assertValidRecord(call.request_body.collection, jsonToLex(record))
    }
  }
  if (call.status === null) return
  if (!good) {
    const named = typeof call.response_body?.error === 'string'
    check(named, 'an error without a name')
    return
  }
  // A fault of the simulator: a body that is no JSON at all.
  if (typeof call.response_body === 'string') return
  if (method.output?.schema) {
    lexicons.assertValidXrpcOutput(nsid, jsonToLex(call.response_body))
    judged += 1
  }
}

/** Parameters with the types that the lexicon gives them. */
function read(method, query) {
  const known = method.parameters?.properties ?? {}
  const found = {}
  for (const [name, value] of query) {
    check(known[name], `the lexicon knows no parameter ${name}`)
    if (known[name].type === 'integer') found[name] = Number(value)
    else if (known[name].type === 'boolean') found[name] = value === 'true'
    else found[name] = value
  }
  return found
}

function judgeOAuth(call) {
  const form = new URLSearchParams(typeof call.request_body === 'string' ? call.request_body : '')
  const body = call.response_body ?? {}
  if (call.path === '/oauth/par' || call.path === '/oauth/token') {
    check(call.request_headers['content-type']?.startsWith('application/x-www-form-urlencoded'), 'not a form')
    check(call.request_headers.dpop, 'no proof')
    check(form.has('client_id'), 'no client_id')
    if (call.status === null || typeof body === 'string') return
    if (call.status < 500) check(call.response_headers['dpop-nonce'], 'no nonce for the next time')
  }
  if (call.path === '/oauth/par') {
    for (const name of ['response_type', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method'])
      check(form.has(name), `no ${name}`)
    if (call.status === 201) check(body.request_uri && body.expires_in > 0, 'no request_uri')
  }
  if (call.path === '/oauth/token' && call.status === 200) {
    for (const name of ['access_token', 'token_type', 'refresh_token', 'scope', 'expires_in', 'sub'])
      check(name in body, `no ${name}`)
  }
  if (call.status >= 400 && call.status < 500 && call.path.startsWith('/oauth/'))
    check(typeof body === 'string' || body.error, 'an error without a name')
}
