// A real Bluesky server for the tests: the personal data server (PDS) and the directory of identities (PLC) it needs.
//
//   node start.mjs DATA_FOLDER READY_FILE [FRONT_PORT CLOCK_FILE]
//
// It must be run beside its node_modules; dev/bluesky copies it there. When both servers answer, READY_FILE holds one
// NAME=value line for each thing a test needs. Both servers end with this process.
//
// A test that has a server to itself gives it a front, as a load balancer is one: the PDS names itself by FRONT_PORT and
// listens elsewhere. Its clock is the machine's and as many milliseconds ahead as CLOCK_FILE says, and it ends when its
// standard input does.
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'

const [data, ready] = process.argv.slice(2, 4).map((argument) => path.resolve(argument))
const [front, clock] = process.argv.slice(4)
const secret = () => randomBytes(16).toString('hex')
const held = new Map()

onlyLoopback()
if (clock) moveTime(path.resolve(clock))
if (front) process.stdin.on('end', () => process.exit()).resume()
const { Database, PlcServer } = await import('@did-plc/server')
const { PDS, envToCfg, envToSecrets } = await import('@atproto/pds')
const { Secp256k1Keypair } = await import('@atproto/crypto')

const plcPort = await holdPort()
const listenPort = await holdPort()
const pdsPort = front ? Number(front) : listenPort
const plcUrl = `http://127.0.0.1:${plcPort}`
const pdsUrl = `http://127.0.0.1:${listenPort}`
const secrets = { adminPassword: secret(), jwtSecret: secret(), rateLimitBypassKey: secret() }

// The directory keeps its state in memory.
await PlcServer.create({ db: Database.mock(), port: plcPort }).start()

const environment = await pdsEnvironment()
const pds = await PDS.create(envToCfg(environment), envToSecrets(environment))
await pds.start()

const facts = {
  MOORING_TEST_PDS_URL: pdsUrl,
  MOORING_TEST_PDS_ADMIN_PASSWORD: secrets.adminPassword,
  // Signs the session tokens (HS256): a test can mint one that has expired.
  MOORING_TEST_PDS_JWT_SECRET: secrets.jwtSecret,
  // As the header `x-ratelimit-bypass` it lifts the limits, for the harness and never for the code under test.
  MOORING_TEST_PDS_RATE_LIMIT_BYPASS: secrets.rateLimitBypassKey,
  MOORING_TEST_PLC_URL: plcUrl,
  // Its books (SQLite): a test can count what the server itself has seen.
  MOORING_TEST_PDS_DATA: data,
  // This file: a test that moves its server's time, or stands in front of it, starts one of its own.
  MOORING_TEST_PDS_PROGRAM: process.argv[1],
}
const lines = Object.entries(facts).map(([name, value]) => `${name}=${value}\n`)
fs.writeFileSync(`${ready}.new`, lines.join(''), { mode: 0o600 })
fs.renameSync(`${ready}.new`, ready)

/** What the PDS is told: nothing outside this machine is ever asked. */
async function pdsEnvironment() {
  const blobs = path.join(data, 'blobs')
  fs.mkdirSync(blobs, { recursive: true })
  const rotationKey = await Secp256k1Keypair.create({ exportable: true })
  const recoveryKey = await Secp256k1Keypair.create()
  return {
    devMode: true,
    hostname: 'localhost',
    port: pdsPort,
    dataDirectory: data,
    blobstoreDiskLocation: blobs,
    recoveryDidKey: recoveryKey.did(),
    plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotationKey.export()).toString('hex'),
    ...secrets,
    serviceHandleDomains: ['.test'],
    didPlcUrl: plcUrl,
    bskyAppViewUrl: 'https://appview.invalid',
    bskyAppViewDid: 'did:example:invalid',
    bskyAppViewCdnUrlPattern: 'http://cdn.invalid/%s/%s/%s',
    crawlers: [],
    inviteRequired: false,
    disableSsrfProtection: true,
    rateLimitsEnabled: true,
  }
}

/** Both servers listen on every interface and have no setting for it, so each listen on a port is pinned here.
 *
 *  And they hold idle connections for longer than any client of ours (`http.idle_s`, a minute). The directory's own five
 *  seconds are as long as a person takes for the log-in between two looks at it: on a busy machine it ended a connection
 *  on which the second one was already waiting. */
function onlyLoopback() {
  const listen = net.Server.prototype.listen
  net.Server.prototype.listen = function (...args) {
    if (typeof args[0] !== 'number') return listen.apply(this, args)
    const callbacks = args.slice(1).filter((argument) => typeof argument === 'function')
    const port = front && args[0] === Number(front) ? listenPort : args[0]
    this.keepAliveTimeout = 90_000
    return listen.call(this, held.get(port) ?? { port, host: '127.0.0.1' }, ...callbacks)
  }
}

/** The servers take the time from Date alone: what it says is moved by what the file says at that moment. */
function moveTime(file) {
  const now = () => Real.now() + Number(fs.readFileSync(file, 'utf8'))
  const Real = globalThis.Date
  globalThis.Date = new Proxy(Real, {
    construct: (_, args, target) => Reflect.construct(Real, args.length ? args : [now()], target),
    apply: () => new Real(now()).toString(),
    get: (_, name) => (name === 'now' ? now : Reflect.get(Real, name)),
  })
}

/** A port of 127.0.0.1 that is ours from now on: the server that is told to listen there takes this socket over. A port
 *  that was only looked for would be anybody's for the seconds that the servers need to start. */
function holdPort() {
  return new Promise((resolve, reject) => {
    const holder = net.createServer()
    holder.on('error', reject)
    holder.listen(0, () => {
      const { port } = holder.address()
      held.set(port, holder)
      resolve(port)
    })
  })
}
