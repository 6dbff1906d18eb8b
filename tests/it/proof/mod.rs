//! The proof ledger: what went out is chained, signed, and checked by people who need not believe us.

mod chains;
mod rates;
mod stories;

use mooring_domain::{Lane, proof::Checked};
use mooring_tests::{Answer, Api, Engine, World, WorldOptions};
use mooring_vault::is_signed;

/// Whatever asks the database in a way of its own is told on both.
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A world whose house keeps the ledger.
async fn with_ledger(engine: Engine) -> World {
    World::with(WorldOptions {
        engine,
        lanes: Lane::ALL.to_vec(),
        ..WorldOptions::default()
    })
    .await
}

/// The public key that the API hands out, as `--key` takes it and as bytes.
async fn public_key(api: &Api) -> (String, [u8; 32]) {
    let keys = api.get("/proof/keys").await.ok(200);
    let key = keys[0]["public_key"].as_str().expect("a key");
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes).expect("32 bytes");
    (
        format!("{}:{key}", keys[0]["id"].as_str().expect("an id")),
        bytes,
    )
}

/// Answers for signatures as the command line does.
fn checked(public: [u8; 32]) -> impl Fn(&str, &[u8], &str) -> Checked {
    move |id, message, signature| {
        assert_eq!(id, "t1");
        match hex::decode(signature) {
            Ok(bytes) if is_signed(&public, message, &bytes) => Checked::Good,
            _ => Checked::Bad,
        }
    }
}

/// The file, byte by byte.
fn bytes(answer: Answer) -> Vec<u8> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.content_type, "application/json");
    answer.text.into_bytes()
}
