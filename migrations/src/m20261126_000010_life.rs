//! The life of a connection: a run of connecting may be a copy of a connection of another workspace.

use sea_orm_migration::{prelude::*, schema::uuid_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The connection that is copied: its account may then be connected in two workspaces.
        let mut column = uuid_null("copied_from").take();
        let alter = Table::alter()
            .table("connects")
            .add_column(&mut column)
            .take();
        manager.alter_table(alter).await?;
        // Before a consent is withdrawn: does it serve another grant?
        let by_user = Index::create()
            .name("grants_remote_user")
            .table("grants")
            .col("remote_user_id")
            .take();
        manager.create_index(by_user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared("DROP INDEX grants_remote_user")
            .await?;
        let alter = Table::alter()
            .table("connects")
            .drop_column("copied_from")
            .take();
        manager.alter_table(alter).await
    }
}
