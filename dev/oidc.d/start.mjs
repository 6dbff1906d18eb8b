// A real OAuth 2.0 server for the tests (oidc-provider, certified by the OpenID Foundation): consent, PKCE, codes,
// rotation, reuse detection, revocation and introspection as software does them that we did not write.
//
//   node start.mjs READY_FILE
//
// It must be run beside its node_modules; dev/oidc copies it there. Two servers listen on free ports of 127.0.0.1, one
// with its endpoints at X's paths and one at LinkedIn's, so that the adapters talk to them as they are. When both answer,
// READY_FILE holds one NAME=value line for each. Both end with this process, and they remember nothing.
import fs from 'node:fs'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import { browse } from './browser.mjs'
import { linkedin, x } from './platforms.mjs'

const [ready] = process.argv.slice(2)
const facts = {
  MOORING_TEST_OIDC_X_URL: await serve(x),
  MOORING_TEST_OIDC_LINKEDIN_URL: await serve(linkedin),
}
const lines = Object.entries(facts).map(([name, value]) => `${name}=${value}\n`)
fs.writeFileSync(`${ready}.new`, lines.join(''), { mode: 0o600 })
fs.renameSync(`${ready}.new`, ready)

/** Starts a server for one platform; its address. */
async function serve(platform) {
  const server = createServer()
  // Longer than any client of ours (`http.idle_s`, a minute): on a busy machine a connection that is ended after five
  // seconds, as node does by itself, may have a call waiting on it.
  server.keepAliveTimeout = 90_000
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(url, configuration(platform))
  const calls = new Map()
  provider.use((ctx, next) => count(ctx, next, calls))
  provider.use((ctx, next) => harness(ctx, next, calls))
  provider.use((ctx, next) => decide(ctx, next, provider))
  provider.use((ctx, next) => platform.api(ctx, next, () => bearer(ctx, provider, calls)))
  server.on('request', provider.callback())
  return url
}

function configuration({ routes, scopes, pkce, rotates }) {
  return {
    routes,
    scopes,
    pkce: { required: () => pkce },
    rotateRefreshToken: () => rotates,
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      registration: { enabled: true },
      revocation: { enabled: true },
    },
    // Every test registers an app of its own, and says how long its tokens live.
    extraClientMetadata: { properties: ['access_life_s'] },
    ttl: {
      AccessToken: (ctx, token, client) => client.access_life_s ?? 7200,
      RefreshToken: 86400,
      AuthorizationCode: 60,
      Grant: 86400,
      Session: 86400,
      Interaction: 600,
      IdToken: 600,
    },
    claims: { openid: ['sub'], profile: ['name'] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `name of ${id}` }) }),
    cookies: { keys: ['of the tests'] },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  }
}

/** Counts what each app has asked the server's own endpoints: `token.refresh_token`, `revocation`, …, and below them the
 *  platform's API, by path. */
async function count(ctx, next, calls) {
  await next()
  const { route, client, params } = ctx.oidc ?? {}
  if (!client) return
  note(calls, client.clientId, route === 'token' ? `token.${params?.grant_type}` : route)
}

function note(calls, app, name) {
  const own = calls.get(app) ?? {}
  calls.set(app, { ...own, [name]: (own[name] ?? 0) + 1 })
}

/** What only tests ask: a person's way through the pages, and the counts. */
async function harness(ctx, next, calls) {
  if (ctx.path === '/harness/calls') ctx.body = calls.get(ctx.query.client_id) ?? {}
  else if (ctx.path === '/harness/consent') ctx.body = { back: await browse(ctx.query.page, ctx.query.person, ctx.query.says) }
  else await next()
}

/** The pages of log-in and consent: whom the browser names is logged in, and agrees to everything or says no. */
async function decide(ctx, next, provider) {
  if (!ctx.path.startsWith('/interaction/')) return next()
  const { params, prompt, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res)
  let result
  if (prompt.name === 'login') {
    result = { login: { accountId: ctx.get('x-person') } }
  } else if (ctx.get('x-says') === 'no') {
    result = { error: 'access_denied', error_description: 'the person said no' }
  } else {
    const { client_id: clientId, scope } = params
    const known = grantId && (await provider.Grant.find(grantId))
    const grant = known || new provider.Grant({ accountId: session.accountId, clientId })
    grant.addOIDCScope(scope)
    result = { consent: { grantId: await grant.save() } }
  }
  const onward = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true })
  ctx.status = 303
  ctx.redirect(onward)
}

/** The account behind a call's token, as the server itself knows it; nothing where the token is over. */
async function bearer(ctx, provider, calls) {
  const token = await provider.AccessToken.find(ctx.get('authorization').replace(/^Bearer /, ''))
  if (!token?.isValid) return undefined
  note(calls, token.clientId, ctx.path)
  return token.accountId
}
