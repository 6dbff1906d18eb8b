// The browser of a person who consents: it follows where the server sends it, and carries its cookies along.

/** Opens `page` as `person`, who agrees or, where `says` is 'no', does not; the address at which the app would be called
 *  back, with the code or the error. */
export async function browse(page, person, says = 'yes') {
  const home = new URL(page).origin
  const cookies = new Map()
  let at = page
  for (let step = 0; step < 10; step += 1) {
    const jar = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await fetch(at, { redirect: 'manual', headers: { cookie: jar, 'x-person': person, 'x-says': says } })
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/)
      cookies.set(name, value)
    }
    const onward = reply.headers.get('location')
    if (!onward) throw new Error(`${at} leads nowhere: ${reply.status} ${await reply.text()}`)
    at = new URL(onward, at).href
    if (new URL(at).origin !== home) return at
  }
  throw new Error(`${page} leads in circles`)
}
