// needs: @xdevplatform/xdk@0.6.6
// X's own SDK drives the simulated X: connect, publish with an uploaded image, read back, list, delete, and errors
// that it must recognise. SIM_URL is the base URL of a running mooring-simulator. One line `ok STEP` per step; exit
// status 1 at the first failure.
import { Client, OAuth2, generateCodeChallenge, generateCodeVerifier } from '@xdevplatform/xdk'

const SIM = process.env.SIM_URL.replace(/\/$/, '')
const BACK = 'https://app.test/back'
const SCOPE = ['tweet.read', 'tweet.write', 'users.read', 'media.write', 'offline.access']

// The SDK's token calls have no setting for the host.
const realFetch = globalThis.fetch
globalThis.fetch = (url, options) =>
  realFetch(String(url).replace(/^https:\/\/(api\.)?x\.com/, `${SIM}/x`), options)

function step(name, holds = true) {
  if (!holds) {
    console.log(`failed ${name}`)
    process.exit(1)
  }
  console.log(`ok ${name}`)
}

async function refused(name, call, fits) {
  let error
  try {
    await call()
  } catch (caught) {
    error = caught
  }
  if (error && !fits(error)) console.log(error)
  step(name, error !== undefined && fits(error))
}

async function admin(where, body) {
  const answer = await realFetch(`${SIM}/admin/${where}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${where}: ${await answer.text()}`)
  return answer.json()
}

const app = await admin('x/apps', {})
const user = (await admin('x/users', { app: app.id })).users[0]

const login = new OAuth2({ clientId: app.id, clientSecret: app.secret, redirectUri: BACK, scope: SCOPE })
const verifier = generateCodeVerifier()
login.setPkceParameters(verifier, await generateCodeChallenge(verifier))
const page = `${await login.getAuthorizationUrl('state-1')}&login_hint=${user.id}`
const consent = await realFetch(page.replace('https://x.com', `${SIM}/x`), { redirect: 'manual' })
const back = new URL(consent.headers.get('location'))
step('consent', back.searchParams.get('state') === 'state-1')
const tokens = await login.exchangeCode(back.searchParams.get('code'), verifier)
step('connect', tokens.expires_in === 7200 && tokens.scope === SCOPE.join(' '))
const fresh = await login.refreshToken()
step('refresh', fresh.refresh_token !== tokens.refresh_token)

const client = new Client({ accessToken: fresh.access_token, baseUrl: `${SIM}/x`, retry: false })
const me = await client.users.getMe({ userFields: ['verified', 'protected'] })
step('me', me.data.username === user.username && me.data.protected === false)

const bytes = Buffer.from('an image')
const begun = await client.media.initializeUpload({
  mediaType: 'image/png',
  media_type: 'image/png',
  mediaCategory: 'tweet_image',
  media_category: 'tweet_image',
  totalBytes: bytes.length,
  total_bytes: bytes.length,
})
const media = begun.data.id
await client.media.appendUpload(media, { media: bytes.toString('base64'), segment_index: 0 })
const done = await client.media.finalizeUpload(media)
step('upload', done.data.id === media && done.data.size === bytes.length)

const text = 'hello from the sdk https://example.com'
const made = await client.posts.create({ text, media: { media_ids: [media] } })
step('publish', made.data.text.startsWith('hello from the sdk https://t.co/'))
const post = made.data.id
const read = await client.posts.getById(post, { postFields: ['created_at', 'attachments', 'entities'] })
step('read back', read.data.id === post && read.data.createdAt !== undefined)
step('media key', read.data.attachments.mediaKeys[0] === `3_${media}`)
const listed = await client.users.getPosts(user.id, { maxResults: 5, sinceId: String(BigInt(post) - 1n) })
step('list', listed.data.length === 1 && listed.data[0].id === post)

await client.posts.create({ text: 'only once' })
await refused(
  'duplicate',
  () => client.posts.create({ text: 'only once' }),
  (error) => error.status === 403 && JSON.stringify(error.data ?? error.message).includes('duplicate'),
)
const gone = await client.posts.delete(post)
step('delete', gone.data.deleted === true)
const after = await client.posts.getById(post)
step('gone', after.data === undefined && after.errors[0].title === 'Not Found Error')
await admin('faults', { platform: 'x', operation: 'users_me', kind: 'rate_limited', reset_s: 60, count: 1 })
await refused('rate limit', () => client.users.getMe(), (error) => error.status === 429)
await admin(`x/users/${user.id}/state`, { state: 'suspended' })
await refused('suspended', () => client.users.getMe(), (error) => error.status === 403)
await admin(`x/users/${user.id}/state`, { state: 'active' })
await admin(`x/users/${user.id}/tokens`, { action: 'revoke' })
await refused('revoked', () => client.users.getMe(), (error) => error.status === 401)
await refused('refresh after revocation', () => login.refreshToken(), (error) => /400/.test(error.message))
