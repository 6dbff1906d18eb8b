//! The adapters before token endpoints that we did not write (`oidc-provider`, a certified server from npm): PKCE,
//! codes, rotation, the second use of a refresh token, revocation and introspection.
//!
//! Its endpoints stand at the platforms' own paths, so the adapters are judged as they are. What they say about a token is
//! held against the server's introspection (RFC 7662), asked from outside by another app.
//!
//! `dev/test` starts the server. Without one (`MOORING_TEST_OIDC_X_URL` unset) these tests say so and end.

mod linkedin;
mod server;
mod x;
