// LinkedIn's own client drives the simulator: introspection, people and roles, a post, its
// read-back, a finder, a partial update, a deletion, a refresh, and errors that it must recognise.
//
// needs: linkedin-api-client@0.3.0
//
// SIM_URL is the base URL of a running mooring-simulator. One line `ok <step>` per step.
import { createRequire } from 'node:module'

const sim = process.env.SIM_URL
if (!sim) fail('start', 'set SIM_URL to the base URL of a simulator')
const require = createRequire(import.meta.url)

// The client has no option for its addresses; they are read from this module before every call.
const addresses = require('linkedin-api-client/dist/lib/utils/constants.js')
addresses.OAUTH_BASE_URL = `${sim}/linkedin/oauth/v2`
addresses.NON_VERSIONED_BASE_URL = `${sim}/linkedin/v2`
addresses.VERSIONED_BASE_URL = `${sim}/linkedin/rest`
const { AuthClient, RestliClient } = require('linkedin-api-client')
const versionString = '202609'

function fail (step, why) {
  console.log(`failed ${step}: ${why}`)
  process.exit(1)
}

function check (step, holds, seen) {
  if (!holds) fail(step, JSON.stringify(seen))
}

async function admin (path, body, method = 'POST') {
  const answer = await fetch(`${sim}/admin/${path}`, {
    method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body)
  })
  if (!answer.ok) fail(`admin ${path}`, await answer.text())
  return answer.json()
}

// What the client throws: an axios error with the platform's answer.
async function refused (step, call, status, code) {
  try {
    await call()
  } catch (error) {
    const body = error.response?.data ?? {}
    const got = body.code ?? body.errorDetails?.inputErrors?.[0]?.code ?? body.error
    check(step, error.response?.status === status && got === code, { status: error.response?.status, body })
    return
  }
  fail(step, 'no error')
}

async function step (name, act) {
  try {
    await act()
  } catch (error) {
    fail(name, error.response ? JSON.stringify(error.response.data) : error.stack)
  }
  console.log(`ok ${name}`)
}

const app = await admin('linkedin/apps', { redirect_uris: ['http://127.0.0.1/callback'] })
const { members: [member] } = await admin('linkedin/members', { app: app.id })
const page = member.organizations[0]
const auth = new AuthClient({
  clientId: app.id, clientSecret: app.secret, redirectUrl: 'http://127.0.0.1/callback'
})
const rest = new RestliClient()
let token, refreshToken, urn

const post = (author, commentary) => rest.create({
  resourcePath: '/posts',
  entity: {
    author,
    commentary,
    visibility: 'PUBLIC',
    distribution: { feedDistribution: 'MAIN_FEED', targetEntities: [], thirdPartyDistributionChannels: [] },
    lifecycleState: 'PUBLISHED'
  },
  accessToken: token,
  versionString
})

await step('consent and code exchange', async () => {
  const scopes = ['openid', 'profile', 'w_member_social', 'w_organization_social', 'r_organization_social', 'rw_organization_admin']
  const url = auth.generateMemberAuthorizationUrl(scopes, 'state-1')
  const page = await fetch(`${url}&login_hint=${member.id}`, { redirect: 'manual' })
  const back = new URL(page.headers.get('location'))
  check('state', back.searchParams.get('state') === 'state-1', back)
  const tokens = await auth.exchangeAuthCodeForAccessToken(back.searchParams.get('code'))
  check('tokens', tokens.expires_in === 5184000 && tokens.refresh_token_expires_in === 31536000, tokens.expires_in)
  token = tokens.access_token
  refreshToken = tokens.refresh_token
})

await step('introspection', async () => {
  const { data } = await auth.introspectAccessToken(token)
  check('introspection', data.active && data.status === 'active' && data.auth_type === '3L', data)
})

await step('refresh', async () => {
  const tokens = await auth.exchangeRefreshTokenForAccessToken(refreshToken)
  check('refresh', tokens.refresh_token === refreshToken && tokens.access_token !== token, tokens.expires_in)
  token = tokens.access_token
})

await step('userinfo', async () => {
  const { data } = await rest.get({ resourcePath: '/userinfo', accessToken: token })
  check('userinfo', data.sub === member.id && data.name === member.name, data)
})

await step('roles', async () => {
  const { data } = await rest.finder({
    resourcePath: '/organizationAcls', finderName: 'roleAssignee', accessToken: token, versionString,
    queryParams: { role: 'ADMINISTRATOR', state: 'APPROVED' }
  })
  check('roles', data.elements.length === 1 && data.elements[0].organization === page.urn, data)
})

await step('publish', async () => {
  const created = await post(page.urn, 'Said by the client #mooring')
  urn = created.createdEntityId
  check('publish', created.status === 201 && /^urn:li:share:\d+$/.test(urn), [created.status, urn])
})

await step('read back', async () => {
  const { data } = await rest.get({ resourcePath: '/posts/{id}', pathKeys: { id: urn }, accessToken: token, versionString })
  check('read back', data.id === urn && data.lifecycleState === 'PUBLISHED', data)
  const { data: batch } = await rest.batchGet({ resourcePath: '/posts', ids: [urn, 'urn:li:share:1'], accessToken: token, versionString })
  check('batch', batch.results[urn].id === urn && batch.errors['urn:li:share:1'].status === 404, batch)
})

await step('partial update', async () => {
  const changed = await rest.partialUpdate({
    resourcePath: '/posts/{id}', pathKeys: { id: urn }, patchSetObject: { commentary: 'Said again' }, accessToken: token, versionString
  })
  check('partial update', changed.status === 204, changed.status)
})

await step('finder', async () => {
  const settings = await admin('linkedin/settings', undefined, 'GET')
  await admin('linkedin/settings', { ...settings, index_lag_ms: 0 }, 'PUT')
  const { data } = await rest.finder({
    resourcePath: '/posts', finderName: 'author', accessToken: token, versionString,
    queryParams: { author: page.urn, count: 10, sortBy: 'CREATED' }
  })
  check('finder', data.elements.length === 1 && data.elements[0].commentary === 'Said again', data)
})

await step('image upload', async () => {
  const { data } = await rest.action({
    resourcePath: '/images', actionName: 'initializeUpload', accessToken: token, versionString,
    data: { initializeUploadRequest: { owner: page.urn } }
  })
  const put = await fetch(data.value.uploadUrl, {
    method: 'PUT', headers: { authorization: `Bearer ${token}` }, body: Buffer.from('89504e470d0a1a0a00', 'hex')
  })
  check('put', put.status === 201, put.status)
  const { data: image } = await rest.get({
    resourcePath: '/images/{id}', pathKeys: { id: data.value.image }, accessToken: token, versionString
  })
  check('status', image.status === 'AVAILABLE', image)
})

await step('error: duplicate', async () => {
  await post(page.urn, 'Twice')
  await refused('duplicate', () => post(page.urn, 'Twice'), 422, 'DUPLICATE_POST')
})

await step('error: a member\'s post cannot be read', async () => {
  const { createdEntityId: id } = await post(member.urn, 'Mine')
  await refused('read', () => rest.get({ resourcePath: '/posts/{id}', pathKeys: { id }, accessToken: token, versionString }), 403, 'ACCESS_DENIED')
})

await step('error: retired version', async () => {
  const call = () => rest.get({ resourcePath: '/posts/{id}', pathKeys: { id: urn }, accessToken: token, versionString: '202409' })
  await refused('version', call, 426, 'NONEXISTENT_VERSION')
})

await step('delete', async () => {
  const gone = await rest.delete({ resourcePath: '/posts/{id}', pathKeys: { id: urn }, accessToken: token, versionString })
  check('delete', gone.status === 204, gone.status)
  await refused('read', () => rest.get({ resourcePath: '/posts/{id}', pathKeys: { id: urn }, accessToken: token, versionString }), 404, 'NOT_FOUND')
})

await step('error: revoked token', async () => {
  await admin(`linkedin/members/${member.id}/revoke`, { reason: 'removed' })
  await refused('revoked', () => post(page.urn, 'Too late'), 401, 'REVOKED_ACCESS_TOKEN')
  const { data } = await auth.introspectAccessToken(token)
  check('introspection', data.active === false && data.status === 'revoked', data)
  await refused('refresh', () => auth.exchangeRefreshTokenForAccessToken(refreshToken), 400, 'invalid_request')
})
