// Where the endpoints are at each platform, what its rules are, and the few calls of its API that connecting and
// publishing need. Whose a token is, and whether it lives, is always the server's own word.

export const x = {
  routes: {
    authorization: '/i/oauth2/authorize',
    token: '/2/oauth2/token',
    revocation: '/2/oauth2/revoke',
  },
  scopes: ['tweet.read', 'tweet.write', 'users.read', 'media.write', 'offline.access'],
  pkce: true,
  rotates: true,

  async api(ctx, next, account) {
    if (ctx.path === '/2/users/me') return answer(ctx, 200, (id) => ({ id, username: `user${id}` }))
    if (ctx.path === '/2/tweets' && ctx.method === 'POST') return answer(ctx, 201, () => ({ id: snowflake() }))
    await next()
    // X says it in words; the standard (RFC 7009) leaves the body empty.
    if (ctx.oidc?.route === 'revocation' && ctx.status === 200) ctx.body = { revoked: true }

    async function answer(to, status, data) {
      const id = await account()
      to.status = id ? status : 401
      to.body = id ? { data: data(id) } : { type: 'about:blank', title: 'Unauthorized', detail: 'Unauthorized', status: 401 }
    }
  },
}

export const linkedin = {
  routes: {
    authorization: '/oauth/v2/authorization',
    token: '/oauth/v2/accessToken',
    revocation: '/oauth/v2/revoke',
    introspection: '/oauth/v2/introspectToken',
    userinfo: '/v2/userinfo',
  },
  scopes: ['openid', 'profile', 'w_member_social'],
  pkce: false,
  rotates: false,

  async api(ctx, next, account) {
    if (ctx.path !== '/rest/organizationAcls') return next()
    if (await account()) {
      ctx.body = { elements: [], paging: { start: 0, count: 100, links: [] } }
    } else {
      ctx.status = 401
      ctx.body = { status: 401, serviceErrorCode: 65600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' }
    }
  },
}

let posts = 0

/** An id as X makes them: the time above 22 bits that tell ids of one moment apart. */
function snowflake() {
  posts += 1
  return String((BigInt(Date.now() - 1288834974657) << 22n) | BigInt(posts % 4096))
}
