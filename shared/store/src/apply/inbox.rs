//! News that comes in: kept once per workspace, with the wish to merge it in the same transaction.

use mooring_domain::{Change, NewsId, Time, WorkspaceId, decision::NewsCame, news::news_poke};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::Secrets;
use crate::{
    Store, StoreError,
    entity::{app, grant, inbox},
    vaulted::Column,
};

impl Store {
    /// What news and its merging change.
    pub(super) async fn news_change(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
        secrets: &Secrets,
    ) -> Result<(), StoreError> {
        match change {
            Change::NewsCame(came) => self.keep_news(tx, workspace, came).await,
            Change::NewsMerged { news, at } => self.news_merged(tx, workspace, *news, *at).await,
            Change::ProbeWanted { grant } => {
                grant::Entity::update_many()
                    .col_expr(grant::Column::ProbedAt, Expr::value(Option::<i64>::None))
                    .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
                    .filter(grant::Column::Id.eq(grant.uuid()))
                    .exec(tx)
                    .await?;
                Ok(())
            }
            Change::WebhookSecretSet { app } => {
                let secret = secrets.webhooks.iter().find(|(id, _)| id == app);
                let sealed = secret.map(|(_, one)| self.seal(Column::AppWebhook, app.uuid(), one));
                app::Entity::update_many()
                    .col_expr(app::Column::WebhookSecret, Expr::value(sealed))
                    .filter(app::Column::Id.eq(app.uuid()))
                    .exec(tx)
                    .await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Keeps what was not told before. Where nobody here is meant, it is merged already: only a person may ask by its code.
    async fn keep_news(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        came: &NewsCame,
    ) -> Result<(), StoreError> {
        let data = serde_json::to_value(&came.news)
            .map_err(|error| StoreError::corrupt("inbox", came.id, error.to_string()))?;
        let at = came.at.timestamp_millis();
        let nobody = workspace.uuid().is_nil();
        let row = inbox::ActiveModel {
            id: Set(came.id.uuid()),
            workspace_id: Set(workspace.uuid()),
            app_id: Set(came.app.uuid()),
            platform: Set(came.platform.as_str().to_owned()),
            key: Set(came.news.key.clone()),
            kind: Set(came.news.what.as_str().to_owned()),
            data: Set(if nobody { serde_json::json!({}) } else { data }),
            code: Set(came.news.what.code().map(str::to_owned)),
            received_at: Set(at),
            merged_at: Set(nobody.then_some(at)),
        };
        let once = [
            inbox::Column::AppId,
            inbox::Column::Key,
            inbox::Column::WorkspaceId,
        ];
        let kept = inbox::Entity::insert(row)
            .on_conflict(OnConflict::columns(once).do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        if kept > 0 && !nobody {
            let merge = news_poke(came.id, came.platform, came.at);
            self.poke(tx, workspace, &merge, None).await?;
        }
        Ok(())
    }

    /// Merged; of a person whose data was deleted the request keeps nothing but its code.
    async fn news_merged(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        news: NewsId,
        at: Time,
    ) -> Result<(), StoreError> {
        let mine = |column: inbox::Column, value: sea_orm::sea_query::SimpleExpr| {
            inbox::Entity::update_many()
                .col_expr(column, value)
                .filter(inbox::Column::WorkspaceId.eq(workspace.uuid()))
                .filter(inbox::Column::Id.eq(news.uuid()))
        };
        mine(inbox::Column::MergedAt, at.timestamp_millis().into())
            .exec(tx)
            .await?;
        mine(inbox::Column::Data, serde_json::json!({}).into())
            .filter(inbox::Column::Code.is_not_null())
            .exec(tx)
            .await?;
        Ok(())
    }
}
