//! Connecting and reconnecting through the gateway at servers that we did not write: the same stories at the real Bluesky
//! server, by OAuth, and at `oidc-provider`, which stands at X's and at LinkedIn's paths.
//!
//! What cannot apply, and why:
//!
//! - A client with a key (`private_key_jwt`) at Bluesky: the server fetches a client's description by `https` from a
//!   public name and from nowhere else, so on one machine there are only clients without a key, which need none. The
//!   description that the gateway serves is judged in `mooring-providers` and by the simulator.
//! - A permission that is declined at `oidc-provider`: its page, as the tests have it, agrees to everything or to nothing.
//! - Posts at `oidc-provider`: it is an OAuth server and has none to show. At Bluesky they are in `bluesky.rs` and
//!   `bluesky_oauth.rs`.
//! - Time: these servers go by the machine's clock. What must be over is over by our books, or because its owner ended it.

mod ends;
mod lives;
mod scene;
