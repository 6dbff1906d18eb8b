// Shows that the server really is one: an account, a session, the same post twice under one key, and the post read back.
//
//   MOORING_TEST_PDS_URL=http://127.0.0.1:PORT node smoke.mjs
import assert from 'node:assert/strict'

const base = process.env.MOORING_TEST_PDS_URL
const bypass = process.env.MOORING_TEST_PDS_RATE_LIMIT_BYPASS
const name = `smoke-${Date.now().toString(36)}`
const handle = `${name}.test`
const password = 'smoke-password'

await call('com.atproto.server.createAccount', { body: { handle, email: `${name}@mail.test`, password } })
const session = await call('com.atproto.server.createSession', { body: { identifier: handle, password } })
assert.equal(session.handle, handle)

const post = {
  repo: session.did,
  collection: 'app.bsky.feed.post',
  rkey: '3lsmokesmoke2',
  record: { $type: 'app.bsky.feed.post', text: 'moored', createdAt: new Date().toISOString() },
}
const first = await call('com.atproto.repo.putRecord', { body: post, token: session.accessJwt })
const second = await call('com.atproto.repo.putRecord', { body: post, token: session.accessJwt })
assert.equal(second.cid, first.cid, 'the same record under the same key is one post')

const { repo, collection, rkey } = post
const read = await call(`com.atproto.repo.getRecord?${new URLSearchParams({ repo, collection, rkey })}`)
assert.equal(read.value.text, 'moored')
assert.equal(read.cid, first.cid)
console.log(`bluesky smoke check: ${handle} posted ${read.uri}`)

/** One XRPC call: a POST when it has a body, otherwise a GET; anything but 2xx fails the check. */
async function call(method, { body, token } = {}) {
  const headers = {}
  if (bypass) headers['x-ratelimit-bypass'] = bypass
  if (body) headers['content-type'] = 'application/json'
  if (token) headers.authorization = `Bearer ${token}`
  const reply = await fetch(`${base}/xrpc/${method}`, {
    method: body ? 'POST' : 'GET',
    headers,
    body: body && JSON.stringify(body),
  })
  const text = await reply.text()
  assert.ok(reply.ok, `${method}: ${reply.status} ${text}`)
  return JSON.parse(text)
}
