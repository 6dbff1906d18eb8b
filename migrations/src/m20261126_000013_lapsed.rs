//! Runs of connecting whose time is over, found without reading all there ever were.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // What is sealed is forgotten soon, so this one stays small.
        db.execute_unprepared(
            "CREATE INDEX connects_sealed ON connects (expires_at) \
             WHERE kept IS NOT NULL OR offered IS NOT NULL",
        )
        .await?;
        db.execute_unprepared("CREATE INDEX connects_expires ON connects (expires_at)")
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for index in ["connects_expires", "connects_sealed"] {
            db.execute_unprepared(&format!("DROP INDEX {index}"))
                .await?;
        }
        Ok(())
    }
}
