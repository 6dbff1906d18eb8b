//! The verified publish rate, counted from the targets and what was seen of them.

use mooring_domain::{Time, WorkspaceId, proof::RateRow};
use sea_orm::{ConnectionTrait, QueryResult};

use crate::{Store, StoreError};

/// What a rate is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateBy {
    /// A client label; connections without one together.
    Brand,
    /// The platform.
    Platform,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLine {
    /// A brand's id, or a platform's name; `None` = connections without a brand.
    pub of: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// The numbers.
    pub row: RateRow,
}

/// Each target in one class, each class counted. A post that was seen live once was published, whatever became of it
/// later; `$1` workspace, `$2` from, `$3` to, `$group` what is grouped by.
const RATES: &str = r"
SELECT part, name, count(*) AS planned,
    count(CASE WHEN class = 'verified' THEN 1 END) AS verified,
    count(CASE WHEN class = 'verified' AND (stage = 70 OR verdict = 'removed') THEN 1 END) AS verified_removed,
    count(CASE WHEN class = 'altered' THEN 1 END) AS altered,
    count(CASE WHEN class = 'unverifiable' THEN 1 END) AS unverifiable,
    count(CASE WHEN class = 'removed_unseen' THEN 1 END) AS removed_unseen,
    count(CASE WHEN class = 'unlooked' THEN 1 END) AS unlooked,
    count(CASE WHEN class = 'unpublished' THEN 1 END) AS unpublished,
    count(CASE WHEN class = 'open' THEN 1 END) AS open
FROM (
    SELECT $group, t.stage AS stage, t.verdict AS verdict,
        CASE
            WHEN t.stage <= 10 THEN 'open'
            WHEN t.stage IN (20, 40, 50) THEN 'unpublished'
            WHEN EXISTS (SELECT 1 FROM proofs p JOIN publish_attempts a ON a.id = p.attempt_id
                WHERE p.target_id = t.id AND a.edition = t.edition AND p.verdict = 'live') THEN 'verified'
            WHEN EXISTS (SELECT 1 FROM proofs p JOIN publish_attempts a ON a.id = p.attempt_id
                WHERE p.target_id = t.id AND a.edition = t.edition AND p.verdict = 'altered') THEN 'altered'
            WHEN t.stage = 70 OR t.verdict = 'removed' THEN 'removed_unseen'
            WHEN t.verdict = 'unverifiable' THEN 'unverifiable'
            ELSE 'unlooked'
        END AS class
    FROM post_targets t
    JOIN connections c ON c.id = t.connection_id
    LEFT JOIN brands b ON b.id = c.brand_id
    WHERE t.workspace_id = $1 AND t.due_at >= $2 AND t.due_at < $3 AND t.stage <> 30
) AS classed
GROUP BY part, name
ORDER BY name, part";

impl Store {
    /// What became of the targets of a workspace that were due from `from` on and before `to`.
    pub async fn verified_rates(
        &self,
        workspace: WorkspaceId,
        from: Time,
        to: Time,
        by: RateBy,
    ) -> Result<Vec<RateLine>, StoreError> {
        let group = match by {
            RateBy::Brand => "b.id AS part, b.name AS name",
            RateBy::Platform => "t.platform AS part, t.platform AS name",
        };
        let sql = RATES.replace("$group", group);
        let values = [
            workspace.uuid().into(),
            from.timestamp_millis().into(),
            to.timestamp_millis().into(),
        ];
        let rows = self.db.query_all_raw(self.statement(&sql, values)).await?;
        rows.iter().map(|row| line(row, by)).collect()
    }
}

fn line(row: &QueryResult, by: RateBy) -> Result<RateLine, StoreError> {
    let of = match by {
        RateBy::Platform => Some(row.try_get::<String>("", "part")?),
        RateBy::Brand => {
            let brand: Option<uuid::Uuid> = row.try_get("", "part")?;
            brand.map(|id| mooring_domain::BrandId::from_uuid(id).to_string())
        }
    };
    let count = |name: &str| -> Result<u64, StoreError> {
        Ok(row.try_get::<i64>("", name)?.unsigned_abs())
    };
    Ok(RateLine {
        of,
        name: row.try_get("", "name")?,
        row: RateRow {
            planned: count("planned")?,
            verified: count("verified")?,
            verified_removed: count("verified_removed")?,
            altered: count("altered")?,
            unverifiable: count("unverifiable")?,
            removed_unseen: count("removed_unseen")?,
            unlooked: count("unlooked")?,
            unpublished: count("unpublished")?,
            open: count("open")?,
        },
    })
}
