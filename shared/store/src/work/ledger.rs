//! What the proof ledger's job needs: the news, what the books know about their targets, and days that are over.

use std::collections::{BTreeMap, HashMap, HashSet};

use mooring_domain::{
    AttemptId, ConnectionId, PostId, ProofId, TargetId, Time, WorkspaceId,
    post::Stage,
    proof::{
        AttemptSeen, ChainWork, Day, Digest, Head, LedgerWork, LookSeen, RestoreSeen, RipeDay,
        TargetSeen,
    },
    time::{days, from_ms},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{attempt_facts, content_of};
use crate::{
    Store, StoreError,
    entity::{
        attempt, connection, ledger_entry, ledger_head, ledger_key, ledger_pending, post, proof,
        restore, target,
    },
    jobs::platform_of,
};

/// News of one run, and days that one run seals.
const NEWS: u64 = 1_000;
const DAYS: u64 = 50;

/// The rows of the targets that the news are about.
struct Rows {
    posts: HashMap<Uuid, post::Model>,
    connections: HashMap<Uuid, connection::Model>,
    attempts: HashMap<Uuid, Vec<attempt::Model>>,
    looks: HashMap<Uuid, Vec<proof::Model>>,
}

impl Store {
    /// Loads what a run of the ledger works on, over all workspaces. `sealing`: whether days can be signed here.
    pub async fn ledger_job(&self, sealing: bool, now: Time) -> Result<LedgerWork, StoreError> {
        let ripe = if sealing && self.signs_as_known().await? {
            self.ripe_days(now).await?
        } else {
            Vec::new()
        };
        if !ripe.is_empty() {
            return Ok(LedgerWork {
                ripe,
                ..LedgerWork::default()
            });
        }
        let news = ledger_pending::Entity::find()
            .order_by_asc(ledger_pending::Column::Id)
            .limit(NEWS)
            .all(&self.db)
            .await?;
        let targets: HashSet<Uuid> = news.iter().map(|row| row.target_id).collect();
        Ok(LedgerWork {
            pending: news.iter().map(|row| row.id).collect(),
            more: news.len() as u64 == NEWS,
            chains: self.chains_of(targets).await?,
            ripe,
        })
    }

    /// Whether the key that signs here is the one of its id. Two keys of one id would make roots that nobody can check:
    /// until that is mended, entries are chained and no day is signed.
    async fn signs_as_known(&self) -> Result<bool, StoreError> {
        let Some(keys) = self.signing_keys() else {
            return Ok(false);
        };
        let key = keys.active();
        let known = ledger_key::Entity::find_by_id(key.id().to_owned())
            .one(&self.db)
            .await?;
        let is_other = known.is_some_and(|row| row.public_key != hex::encode(key.public()));
        if is_other {
            tracing::error!(
                event.name = "ledger.key_clash",
                key = key.id(),
                "another key has signed under this id: give the new one an id of its own in proof.signing_key"
            );
        }
        Ok(!is_other)
    }

    async fn chains_of(&self, targets: HashSet<Uuid>) -> Result<Vec<ChainWork>, StoreError> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let mut by_workspace: BTreeMap<Uuid, Vec<TargetSeen>> = BTreeMap::new();
        for (workspace, seen) in self.targets_seen(targets).await? {
            by_workspace.entry(workspace).or_default().push(seen);
        }
        let restores = self.restores_seen().await?;
        let mut heads = self
            .heads_of(by_workspace.keys().copied().collect())
            .await?;
        let mut about: Vec<String> = by_workspace
            .keys()
            .map(|id| WorkspaceId::from_uuid(*id).to_string())
            .collect();
        about.extend(
            by_workspace
                .values()
                .flatten()
                .map(|seen| seen.target.to_string()),
        );
        let mut known: HashMap<Uuid, (HashSet<String>, HashMap<String, Digest>)> = HashMap::new();
        let told: Vec<(Uuid, String, String, String)> = ledger_entry::Entity::find()
            .select_only()
            .column(ledger_entry::Column::WorkspaceId)
            .column(ledger_entry::Column::About)
            .column(ledger_entry::Column::Source)
            .column(ledger_entry::Column::Hash)
            .filter(ledger_entry::Column::About.is_in(about))
            .order_by_asc(ledger_entry::Column::Number)
            .into_tuple()
            .all(&self.db)
            .await?;
        for (workspace, about, source, hash) in told {
            let (sources, newest) = known.entry(workspace).or_default();
            newest.insert(about, digest(workspace, &hash)?);
            sources.insert(source);
        }
        let chains = by_workspace.into_iter().map(|(id, targets)| {
            let (known, newest) = known.remove(&id).unwrap_or_default();
            ChainWork {
                workspace: WorkspaceId::from_uuid(id),
                head: heads.remove(&id),
                known,
                newest,
                targets,
                restores: restores.clone(),
            }
        });
        Ok(chains.collect())
    }

    /// What the books know about targets, in the order of their ids. One whose rows make no sense is told and left out:
    /// it must not keep every other from being chained.
    async fn targets_seen(
        &self,
        ids: HashSet<Uuid>,
    ) -> Result<Vec<(Uuid, TargetSeen)>, StoreError> {
        let targets = target::Entity::find()
            .filter(target::Column::Id.is_in(ids))
            .order_by_asc(target::Column::Id)
            .all(&self.db)
            .await?;
        let mut rows = self.ledger_rows(&targets).await?;
        let mut seen = Vec::with_capacity(targets.len());
        for row in targets {
            match target_seen(&row, &mut rows) {
                Ok(one) => seen.push((row.workspace_id, one)),
                Err(error) => {
                    tracing::error!(event.name = "ledger.target_unreadable", target.id = %row.id, error = %error, "a target makes no sense and was not chained");
                }
            }
        }
        Ok(seen)
    }

    async fn ledger_rows(&self, targets: &[target::Model]) -> Result<Rows, StoreError> {
        let ids = || targets.iter().map(|row| row.id);
        let posts = post::Entity::find()
            .filter(post::Column::Id.is_in(targets.iter().map(|row| row.post_id)))
            .all(&self.db)
            .await?;
        let connections = connection::Entity::find()
            .filter(connection::Column::Id.is_in(targets.iter().map(|row| row.connection_id)))
            .all(&self.db)
            .await?;
        let attempts = attempt::Entity::find()
            .filter(attempt::Column::TargetId.is_in(ids()))
            .order_by_asc(attempt::Column::Id)
            .all(&self.db)
            .await?;
        let looks = proof::Entity::find()
            .filter(proof::Column::TargetId.is_in(ids()))
            .order_by_asc(proof::Column::SeenAt)
            .order_by_asc(proof::Column::Id)
            .all(&self.db)
            .await?;
        let mut rows = Rows {
            posts: posts.into_iter().map(|row| (row.id, row)).collect(),
            connections: connections.into_iter().map(|row| (row.id, row)).collect(),
            attempts: HashMap::new(),
            looks: HashMap::new(),
        };
        for row in attempts {
            rows.attempts.entry(row.target_id).or_default().push(row);
        }
        for row in looks {
            rows.looks.entry(row.target_id).or_default().push(row);
        }
        Ok(rows)
    }

    async fn restores_seen(&self) -> Result<Vec<RestoreSeen>, StoreError> {
        let rows = restore::Entity::find()
            .order_by_asc(restore::Column::MarkedAt)
            .all(&self.db)
            .await?;
        let seen = rows.into_iter().map(|row| RestoreSeen {
            id: row.id,
            taken_at: from_ms(row.taken_at),
            marked_at: from_ms(row.marked_at),
        });
        Ok(seen.collect())
    }

    async fn heads_of(&self, workspaces: Vec<Uuid>) -> Result<HashMap<Uuid, Head>, StoreError> {
        let rows = ledger_head::Entity::find()
            .filter(ledger_head::Column::WorkspaceId.is_in(workspaces))
            .all(&self.db)
            .await?;
        rows.iter()
            .map(|row| Ok((row.workspace_id, head(row)?)))
            .collect()
    }

    /// The oldest day without a root of each chain that has one which is over.
    async fn ripe_days(&self, now: Time) -> Result<Vec<RipeDay>, StoreError> {
        let today = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let rows = ledger_head::Entity::find()
            .filter(ledger_head::Column::OpenSince.lt(today.timestamp_millis()))
            .order_by_asc(ledger_head::Column::OpenSince)
            .limit(DAYS)
            .all(&self.db)
            .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let restores = restore::Entity::find().count(&self.db).await?;
        let mut ripe = Vec::with_capacity(rows.len());
        for row in rows {
            ripe.push(self.ripe_day(&row, restores).await?);
        }
        Ok(ripe)
    }

    async fn ripe_day(
        &self,
        row: &ledger_head::Model,
        restores: u64,
    ) -> Result<RipeDay, StoreError> {
        let open = from_ms(row.open_since.unwrap_or(row.chained_at));
        let end = open.date_naive().and_time(chrono::NaiveTime::MIN).and_utc() + days(1);
        let behind = ledger_entry::Entity::find()
            .select_only()
            .column(ledger_entry::Column::Hash)
            .filter(ledger_entry::Column::WorkspaceId.eq(row.workspace_id))
            .filter(ledger_entry::Column::Number.gt(row.sealed))
            .filter(ledger_entry::Column::ChainedAt.lt(end.timestamp_millis()))
            .order_by_asc(ledger_entry::Column::Number)
            .into_tuple::<String>()
            .all(&self.db)
            .await?;
        let leaves = behind.iter().map(|hash| digest(row.workspace_id, hash));
        let leaves = leaves.collect::<Result<Vec<_>, _>>()?;
        let next = row.sealed + i64::try_from(leaves.len()).unwrap_or(i64::MAX) + 1;
        let after = ledger_entry::Entity::find_by_id((row.workspace_id, next))
            .one(&self.db)
            .await?;
        Ok(RipeDay {
            workspace: WorkspaceId::from_uuid(row.workspace_id),
            head: head(row)?,
            leaves,
            open_after: after.map(|row| from_ms(row.chained_at)),
            restores,
        })
    }
}

/// Reads a chain's end.
pub(crate) fn head(row: &ledger_head::Model) -> Result<Head, StoreError> {
    let corrupt = |what: &str| StoreError::corrupt("ledger_heads", row.workspace_id, what);
    let last_root = match (&row.root_day, &row.root_hash) {
        (Some(day), Some(hash)) => {
            let day: Day = day.parse().map_err(|_| corrupt("its day is none"))?;
            Some((day, digest(row.workspace_id, hash)?))
        }
        _ => None,
    };
    Ok(Head {
        number: row.number.unsigned_abs(),
        hash: digest(row.workspace_id, &row.hash)?,
        chained_at: from_ms(row.chained_at),
        sealed: row.sealed.unsigned_abs(),
        last_root,
        open_since: row.open_since.map(from_ms),
    })
}

/// Reads a hash of a workspace's ledger.
pub(crate) fn digest(workspace: Uuid, text: &str) -> Result<Digest, StoreError> {
    let read = text.parse();
    read.map_err(|_| StoreError::corrupt("ledger", workspace, "holds a hash that is none"))
}

fn target_seen(row: &target::Model, rows: &mut Rows) -> Result<TargetSeen, StoreError> {
    let corrupt = |what: &str| StoreError::corrupt("post_targets", row.id, what);
    let post = rows.posts.get(&row.post_id);
    let post = post.ok_or_else(|| corrupt("has no post"))?;
    let connection = rows.connections.get(&row.connection_id);
    let connection = connection.ok_or_else(|| corrupt("has no connection"))?;
    let content = content_of(post)?;
    let attempts = rows.attempts.remove(&row.id).unwrap_or_default();
    let looks = rows.looks.remove(&row.id).unwrap_or_default();
    Ok(TargetSeen {
        target: TargetId::from_uuid(row.id),
        post: PostId::from_uuid(row.post_id),
        connection: ConnectionId::from_uuid(row.connection_id),
        platform: platform_of("post_targets", row.id, &row.platform)?,
        account: connection.remote_id.clone(),
        edition: row.edition,
        stage: Stage::from_rank(row.stage).ok_or_else(|| corrupt("its stage is unknown"))?,
        reason: row.reason.clone(),
        due: from_ms(row.due_at),
        scheduled_at: from_ms(post.created_at),
        revision: post.revision,
        content: post.content.clone(),
        media_sha256: content.media.into_iter().map(|one| one.sha256).collect(),
        attempts: attempts
            .into_iter()
            .map(attempt_seen)
            .collect::<Result<_, _>>()?,
        looks: looks.into_iter().map(look_seen).collect(),
    })
}

fn attempt_seen(row: attempt::Model) -> Result<AttemptSeen, StoreError> {
    let facts = attempt_facts(&row)?;
    let (call_ended_at, failure) = match facts.call_ended {
        Some((at, failure)) => (Some(at), failure),
        None => (None, None),
    };
    let accepted = row.accepted_at.zip(row.remote_id);
    Ok(AttemptSeen {
        attempt: AttemptId::from_uuid(row.id),
        edition: row.edition,
        number: row.number,
        revision: row.revision,
        reference: row.reference,
        text_sha256: row.digest,
        begun_at: from_ms(row.begun_at),
        call_ended_at,
        failure,
        handle: row.handle,
        accepted: accepted.map(|(at, remote_id)| (from_ms(at), remote_id, row.permalink)),
        settlement: facts.settlement,
        forgotten: row.forgotten,
    })
}

fn look_seen(row: proof::Model) -> LookSeen {
    LookSeen {
        proof: ProofId::from_uuid(row.id),
        attempt: AttemptId::from_uuid(row.attempt_id),
        verdict: row.verdict,
        remote_id: row.remote_id,
        permalink: row.permalink,
        text_sha256: row.digest,
        seen_at: from_ms(row.seen_at),
    }
}
