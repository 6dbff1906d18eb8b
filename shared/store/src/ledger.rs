//! Reading the proof ledger: proofs for people, the keys to check them by, what is captured.

use std::collections::{BTreeMap, HashMap};

use mooring_domain::{
    PostId, TargetId, Time, WorkspaceId,
    post::Stage,
    proof::{
        Body, Captured, Content, Day, Entry, Export, Inclusion, Kept, Root, is_done, merkle::Tree,
    },
    time::{days, from_ms},
};
use mooring_vault::SigningKeys;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{attempt, ledger_entry, ledger_key, ledger_root, post, target},
    work::digest,
};

/// A public key that checks days of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerKey {
    /// Its id, which roots name.
    pub id: String,
    /// The key, in hex.
    pub public_key: String,
    /// When it signed first; `None` = not yet.
    pub first_used_at: Option<Time>,
}

impl Store {
    /// The same store, which signs days of the ledger with these keys.
    #[must_use]
    pub fn signing(mut self, keys: SigningKeys) -> Self {
        self.signing = Some(keys);
        self
    }

    /// The keys that sign days of the ledger, where this process has them.
    #[must_use]
    pub fn signing_keys(&self) -> Option<&SigningKeys> {
        self.signing.as_ref()
    }

    /// Every public key that has signed, oldest first, and those of this process that have not yet.
    pub async fn ledger_keys(&self) -> Result<Vec<LedgerKey>, StoreError> {
        let rows = ledger_key::Entity::find()
            .order_by_asc(ledger_key::Column::FirstUsedAt)
            .all(&self.db)
            .await?;
        let used = rows.into_iter().map(|row| LedgerKey {
            id: row.id,
            public_key: row.public_key,
            first_used_at: Some(from_ms(row.first_used_at)),
        });
        let mut keys: Vec<_> = used.collect();
        for (id, public) in self.signing.iter().flat_map(SigningKeys::public) {
            if !keys.iter().any(|key| key.id == id) {
                keys.push(LedgerKey {
                    id: id.to_owned(),
                    public_key: hex::encode(public),
                    first_used_at: None,
                });
            }
        }
        Ok(keys)
    }

    /// The proof of one target. `None`: there is no such target in the workspace.
    pub async fn target_proof(
        &self,
        workspace: WorkspaceId,
        id: TargetId,
    ) -> Result<Option<Export>, StoreError> {
        let rows = target::Entity::find_by_id(id.uuid())
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .all(&self.db)
            .await?;
        self.proof(workspace, id.to_string(), rows).await
    }

    /// The proof of a post on all its targets. `None`: there is no such post in the workspace.
    pub async fn post_proof(
        &self,
        workspace: WorkspaceId,
        id: PostId,
    ) -> Result<Option<Export>, StoreError> {
        let rows = target::Entity::find()
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::PostId.eq(id.uuid()))
            .order_by_asc(target::Column::Id)
            .all(&self.db)
            .await?;
        self.proof(workspace, id.to_string(), rows).await
    }

    /// Everything that was appended to a workspace's chain on a day.
    pub async fn ledger_of(&self, workspace: WorkspaceId, day: Day) -> Result<Export, StoreError> {
        let begin = day.and_time(chrono::NaiveTime::MIN).and_utc();
        let rows = ledger_entry::Entity::find()
            .filter(ledger_entry::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(ledger_entry::Column::ChainedAt.gte(begin.timestamp_millis()))
            .filter(ledger_entry::Column::ChainedAt.lt((begin + days(1)).timestamp_millis()))
            .order_by_asc(ledger_entry::Column::Number)
            .all(&self.db)
            .await?;
        self.export(workspace, "ledger".to_owned(), Vec::new(), rows)
            .await
    }

    async fn proof(
        &self,
        workspace: WorkspaceId,
        subject: String,
        targets: Vec<target::Model>,
    ) -> Result<Option<Export>, StoreError> {
        if targets.is_empty() {
            return Ok(None);
        }
        let posts = post::Entity::find()
            .filter(post::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(post::Column::Id.is_in(targets.iter().map(|row| row.post_id)))
            .all(&self.db)
            .await?;
        let posts: HashMap<_, _> = posts.into_iter().map(|row| (row.id, row)).collect();
        let contents = targets.iter().filter_map(|row| {
            let post = posts.get(&row.post_id)?;
            Some(Content {
                target: TargetId::from_uuid(row.id),
                revision: post.revision,
                content: post.content.clone(),
            })
        });
        let contents = contents.collect();
        let about = targets
            .iter()
            .map(|row| TargetId::from_uuid(row.id).to_string());
        let rows = ledger_entry::Entity::find()
            .filter(ledger_entry::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(ledger_entry::Column::About.is_in(about.chain([workspace.to_string()])))
            .order_by_asc(ledger_entry::Column::Number)
            .all(&self.db)
            .await?;
        self.export(workspace, subject, contents, rows)
            .await
            .map(Some)
    }

    async fn export(
        &self,
        workspace: WorkspaceId,
        subject: String,
        contents: Vec<Content>,
        rows: Vec<ledger_entry::Model>,
    ) -> Result<Export, StoreError> {
        let roots = self.roots_over(workspace, &rows).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let read: Result<Entry, _> = serde_json::from_str(&row.entry);
            let entry = read.map_err(|error| {
                let which = format!("{workspace} {}", row.number);
                StoreError::corrupt("ledger", which, format!("does not read: {error}"))
            })?;
            entries.push(Kept {
                hash: digest(row.workspace_id, &row.hash)?,
                inclusion: inclusion(&entry, &roots),
                entry,
            });
        }
        let roots = roots.into_values().map(|(root, _)| root);
        Ok(Export {
            workspace,
            subject,
            contents,
            entries,
            roots: roots.collect(),
        })
    }

    /// The roots over entries with the trees below them, by day.
    async fn roots_over(
        &self,
        workspace: WorkspaceId,
        rows: &[ledger_entry::Model],
    ) -> Result<BTreeMap<Day, (Root, Tree)>, StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(BTreeMap::new());
        };
        let found = ledger_root::Entity::find()
            .filter(ledger_root::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(ledger_root::Column::Last.gte(first.number))
            .filter(ledger_root::Column::First.lte(last.number))
            .all(&self.db)
            .await?;
        let mut roots = BTreeMap::new();
        for row in found {
            if !rows
                .iter()
                .any(|one| (row.first..=row.last).contains(&one.number))
            {
                continue;
            }
            let read = serde_json::from_str(&row.statement);
            let statement = read.map_err(|error| {
                let which = format!("{workspace} {}", row.day);
                StoreError::corrupt("ledger_roots", which, format!("does not read: {error}"))
            })?;
            let root = Root {
                statement,
                signature: row.signature,
            };
            let tree = self.tree(workspace.uuid(), row.first, row.last).await?;
            roots.insert(root.statement.day, (root, tree));
        }
        Ok(roots)
    }

    async fn tree(&self, workspace: Uuid, first: i64, last: i64) -> Result<Tree, StoreError> {
        let hashes: Vec<String> = ledger_entry::Entity::find()
            .select_only()
            .column(ledger_entry::Column::Hash)
            .filter(ledger_entry::Column::WorkspaceId.eq(workspace))
            .filter(ledger_entry::Column::Number.between(first, last))
            .order_by_asc(ledger_entry::Column::Number)
            .into_tuple()
            .all(&self.db)
            .await?;
        let leaves = hashes.iter().map(|hash| digest(workspace, hash));
        Ok(Tree::over(leaves.collect::<Result<_, _>>()?))
    }

    /// Which of these targets of a workspace are [done](is_done): verified, and the proof captured.
    pub async fn done_targets(
        &self,
        workspace: WorkspaceId,
        ids: &[TargetId],
    ) -> Result<HashMap<TargetId, bool>, StoreError> {
        let targets = target::Entity::find()
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        let captured = self.captured(workspace, &targets).await?;
        let done = targets.iter().map(|row| {
            let stage = Stage::from_rank(row.stage).unwrap_or(Stage::Scheduled);
            let done = is_done(stage, row.verdict.as_deref(), captured.get(&row.id));
            (TargetId::from_uuid(row.id), done)
        });
        Ok(done.collect())
    }

    /// The newest look at the present edition of each target that is in the ledger.
    async fn captured(
        &self,
        workspace: WorkspaceId,
        targets: &[target::Model],
    ) -> Result<HashMap<Uuid, Captured>, StoreError> {
        let about = targets
            .iter()
            .map(|row| TargetId::from_uuid(row.id).to_string());
        let texts: Vec<String> = ledger_entry::Entity::find()
            .select_only()
            .column(ledger_entry::Column::Entry)
            .filter(ledger_entry::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(ledger_entry::Column::About.is_in(about))
            .filter(ledger_entry::Column::Kind.eq("read_back"))
            .order_by_asc(ledger_entry::Column::Number)
            .into_tuple()
            .all(&self.db)
            .await?;
        let editions: HashMap<_, _> = targets.iter().map(|row| (row.id, row.edition)).collect();
        let attempts = attempt::Entity::find()
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(attempt::Column::TargetId.is_in(editions.keys().copied()))
            .all(&self.db)
            .await?;
        let present = attempts
            .iter()
            .filter(|row| editions.get(&row.target_id) == Some(&row.edition));
        let present: HashMap<_, _> = present.map(|row| (row.id, row.target_id)).collect();
        let mut captured = HashMap::new();
        for text in texts {
            let entry: Entry = serde_json::from_str(&text).map_err(|error| {
                StoreError::corrupt("ledger", workspace, format!("does not read: {error}"))
            })?;
            if let Body::ReadBack(look) = entry.body
                && let Some(target) = present.get(&look.attempt.uuid())
            {
                let verdict = look.verdict;
                captured.insert(*target, Captured { verdict });
            }
        }
        Ok(captured)
    }
}

fn inclusion(entry: &Entry, roots: &BTreeMap<Day, (Root, Tree)>) -> Option<Inclusion> {
    let day = from_ms(entry.chained_at).date_naive();
    let (root, tree) = roots.get(&day)?;
    let index = entry.number.checked_sub(root.statement.first)?;
    (entry.number <= root.statement.last).then(|| Inclusion {
        day,
        path: tree.path(usize::try_from(index).unwrap_or(usize::MAX)),
    })
}
