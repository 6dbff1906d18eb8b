// Makes an account and prints the server's answer: its identity (DID) and its tokens.
//
//   MOORING_TEST_PDS_URL=http://127.0.0.1:PORT node account.mjs NAME PASSWORD
const [name, password] = process.argv.slice(2)

const reply = await fetch(`${process.env.MOORING_TEST_PDS_URL}/xrpc/com.atproto.server.createAccount`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ handle: `${name}.test`, email: `${name}@mail.test`, password }),
})
console.log(await reply.text())
process.exitCode = reply.ok ? 0 : 1
