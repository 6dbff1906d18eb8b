// needs: @atproto/api@0.19.0
// Bluesky's own SDK drives the simulated server: log-in, a post with an image, read back, list, delete, refresh, and
// errors that it must recognise. SIM_URL is the base URL of a running mooring-simulator. One line `ok STEP` per step;
// exit status 1 at the first failure.
import { AtpAgent, RichText } from '@atproto/api'

const SIM = process.env.SIM_URL.replace(/\/$/, '')
const POSTS = 'app.bsky.feed.post'

// The SDK knows servers by their origin alone; the simulated one lies below a path.
const fetchBelow = async (input, options) => {
  const request = new Request(input, options)
  const { pathname, search } = new URL(request.url)
  const body = request.method === 'GET' ? undefined : await request.arrayBuffer()
  return fetch(`${SIM}/bluesky${pathname.replace(/^\/bluesky/, '')}${search}`, {
    method: request.method,
    headers: request.headers,
    body: body?.byteLength ? body : undefined,
  })
}

function step(name, holds = true) {
  if (!holds) {
    console.log(`failed ${name}`)
    process.exit(1)
  }
  console.log(`ok ${name}`)
}

async function refused(name, call, status, error) {
  let caught
  try {
    await call()
  } catch (thrown) {
    caught = thrown
  }
  if (caught && (caught.status !== status || caught.error !== error)) console.log(caught)
  step(name, caught?.status === status && caught?.error === error)
}

async function admin(where, body) {
  const answer = await fetch(`${SIM}/admin/bluesky/${where}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return answer.json()
}

const { accounts } = await admin('accounts', { count: 1 })
const [account] = accounts
const agent = new AtpAgent({ service: SIM, fetch: fetchBelow })

await refused(
  'a wrong password is recognised',
  () => agent.login({ identifier: account.handle, password: 'wrong' }),
  401,
  'AuthenticationRequired',
)
await agent.login({ identifier: account.handle, password: account.password })
step('log-in', agent.session.did === account.did)

const pixel = Uint8Array.from(Array.from({ length: 500 }, (_, n) => n % 251))
const { data: uploaded } = await agent.uploadBlob(pixel, { encoding: 'image/png' })
step('upload', uploaded.blob.size === 500 && uploaded.blob.mimeType === 'image/png')

const text = new RichText({ text: 'Käse 🧀 https://example.com' })
text.detectFacetsWithoutResolution()
const post = await agent.post({
  text: text.text,
  facets: text.facets,
  embed: {
    $type: 'app.bsky.embed.images',
    images: [{ alt: 'a pixel', image: uploaded.blob, aspectRatio: { width: 1, height: 1 } }],
  },
})
step('publish', post.uri.startsWith(`at://${account.did}/${POSTS}/`))

const rkey = post.uri.split('/').pop()
const place = { repo: account.did, collection: POSTS, rkey }
const { data: read } = await agent.com.atproto.repo.getRecord(place)
step('read back', read.cid === post.cid && read.value.embed.images[0].image.ref.toString() === uploaded.blob.ref.toString())
const { data: again } = await agent.com.atproto.repo.putRecord({ ...place, record: read.value })
step('the same record again changes nothing', again.cid === post.cid && again.commit === undefined)
const { data: list } = await agent.com.atproto.repo.listRecords({ repo: account.did, collection: POSTS, limit: 10 })
step('list', list.records.length === 1 && list.records[0].uri === post.uri)

const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const image = { $type: 'blob', ref: { $link: nowhere }, mimeType: 'image/png', size: 1 }
const embed = { $type: 'app.bsky.embed.images', images: [{ alt: '', image }] }
await refused(
  'a file that was never uploaded is recognised',
  () => agent.post({ text: 'x', embed }),
  400,
  'BlobNotFound',
)
await agent.deletePost(post.uri)
await refused('a deleted post is recognised', () => agent.com.atproto.repo.getRecord(place), 400, 'RecordNotFound')

const before = agent.session.refreshJwt
await agent.resumeSession(agent.session)
step('session', agent.session.refreshJwt !== undefined && agent.session.active)
await admin(`accounts/${account.did}/tokens`, { action: 'expire_access' })
await agent.post({ text: 'after a refresh' })
step('an expired token is renewed by the SDK itself', agent.session.refreshJwt !== before)

await admin(`accounts/${account.did}/state`, { state: 'takendown' })
await refused('an account that was shut is recognised', () => agent.post({ text: 'x' }), 401, 'AccountTakedown')
