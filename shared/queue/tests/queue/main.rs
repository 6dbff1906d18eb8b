//! The queue's promises on both implementations, and the defects of other queues that this one must not have.
//!
//! Redis comes from `MOORING_TEST_REDIS_URL`; without it, and wherever a test ends or stalls the server, the test
//! starts a private `redis-server` and ends it.

mod conformance;
mod defects;
mod outages;
mod rig;
mod server;
mod stopping;
mod tls;
