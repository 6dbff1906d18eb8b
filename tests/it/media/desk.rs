//! Books, files and connections for the tests of media.

use std::collections::BTreeMap;

use mooring_domain::{
    ConnectionId, MediaId, Policy, Time, WorkspaceId,
    post::{Content, Media},
    time::{from_ms, hours},
};
use mooring_gateway::acts::{
    self, ActError, ImportRow, MediaFrom, NewMedia, SchedulePost, Scheduled,
};
use mooring_runtime::{MediaStore, media::stream_of};
use mooring_store::{Actor, Store};
use mooring_tests::{Database, Engine};
use sea_orm::{ConnectionTrait as _, Statement};

pub(super) fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    file.extend(width.to_le_bytes());
    file.extend(height.to_le_bytes());
    file.extend(b"\0\0\0;");
    file
}

/// A JPEG up to its frame header.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8];
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
    file
}

pub(super) fn now() -> Time {
    from_ms(1_800_000_000_000)
}

/// Books, files and connections, without anything that runs.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) files: MediaStore,
    pub(super) workspace: WorkspaceId,
    pub(super) connections: BTreeMap<String, ConnectionId>,
    _database: Database,
}

impl Desk {
    pub(super) async fn on(engine: Engine, policy: Policy) -> Self {
        let database = Database::fresh(engine).await;
        let store = database.store(policy).await;
        let workspace = acts::create_workspace(&store, &Actor::Cli, "Harbour", now())
            .await
            .unwrap();
        let rows = ["bluesky", "instagram", "x", "facebook"];
        let rows = rows.iter().enumerate().map(|(at, name)| (at, row(name)));
        let (good, bad) = acts::check_import(&store, rows.collect(), now())
            .await
            .unwrap();
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&store, &Actor::Cli, good, now())
            .await
            .unwrap();
        let connections = store.connections(workspace, now()).await.unwrap();
        Self {
            files: MediaStore::in_memory(1 << 20),
            connections: connections
                .into_iter()
                .map(|row| (row.platform, row.id))
                .collect(),
            store,
            workspace,
            _database: database,
        }
    }

    pub(super) async fn add(&self, from: MediaFrom, alt: Option<&str>) -> Result<Media, ActError> {
        let alt = alt.map(str::to_owned);
        let new = NewMedia { from, alt };
        let (store, files) = (&self.store, &self.files);
        acts::add_media(store, files, &Actor::Cli, self.workspace, new, now()).await
    }

    pub(super) async fn added(&self, file: Vec<u8>) -> MediaId {
        self.add(bytes(file), None).await.unwrap().id
    }

    pub(super) async fn post(
        &self,
        to: &str,
        content: Content,
        media: &[MediaId],
    ) -> Result<Scheduled, ActError> {
        let order = SchedulePost {
            connections: vec![self.connections[to]],
            content,
            media: media.to_vec(),
            due: now() + hours(1),
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, now()).await
    }

    pub(super) async fn refusal(&self, to: &str, media: &[MediaId]) -> String {
        let refused = self.post(to, Content::text("look"), media).await;
        refused.expect_err("it is refused").to_string()
    }

    /// The stored contents of all posts, as JSON.
    pub(super) async fn contents(&self) -> Vec<Content> {
        let db = self.store.connection();
        let sql = "SELECT CAST(content AS TEXT) AS content FROM posts";
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get::<String>("", "content").unwrap())
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    }
}

pub(super) fn bytes(file: Vec<u8>) -> MediaFrom {
    MediaFrom::Bytes(stream_of(file.into()))
}

pub(super) fn row(platform: &str) -> ImportRow {
    let text = serde_json::json!({
        "workspace": "Harbour", "platform": platform, "remote_id": format!("one-{platform}"),
        "name": platform, "access_token": "canary",
    });
    serde_json::from_value(text).expect("a row")
}
