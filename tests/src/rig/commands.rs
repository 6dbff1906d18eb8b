//! What people do to a rig: commands of the program, run as processes of their own.

use std::{fs::File, io::Write as _, process::Output};

use mooring_domain::{ConnectionId, TargetId};

use super::{Rig, RigAccount};

impl Rig {
    /// Runs a command of the program. Returns what it printed.
    #[must_use]
    pub fn mooring(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let success = output.status.success();
        assert!(success, "mooring {args:?} failed: {}", self.fleet.logs());
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a command that may fail. Returns whether it succeeded.
    #[must_use]
    pub fn succeeds(&self, args: &[&str]) -> bool {
        self.output(args).status.success()
    }

    /// Runs a command; its whole output joins the logs.
    fn output(&self, args: &[&str]) -> Output {
        let run = || self.fleet.command(args).output().expect("the program runs");
        let output = tokio::task::block_in_place(run);
        let log = self.fleet.folder().join("commands.log");
        let log = File::options().create(true).append(true).open(log);
        let mut log = log.expect("a log");
        let written = log
            .write_all(&output.stdout)
            .and_then(|()| log.write_all(&output.stderr));
        written.expect("a log");
        output
    }

    /// A file in the folder where processes run. Returns its path.
    #[must_use]
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.fleet.folder().join(name);
        std::fs::write(&path, content).expect("a file");
        path.display().to_string()
    }

    /// Imports accounts by command.
    pub fn import(&self, accounts: &[&RigAccount]) {
        let rows: Vec<String> = accounts
            .iter()
            .map(|account| account.row.to_string())
            .collect();
        let file = self.file("accounts.jsonl", &rows.join("\n"));
        let printed = self.mooring(&["import", "connections", &file]);
        assert!(printed.contains("imported"), "{printed}");
    }

    /// The connection of an imported account.
    pub async fn connection(&self, account: &RigAccount) -> ConnectionId {
        let rows = self
            .store
            .connections(self.workspace, self.now)
            .await
            .expect("the books answer");
        let row = rows
            .into_iter()
            .find(|row| row.remote_id == account.remote_id);
        row.expect("the account is imported").id
    }

    /// Schedules a post by command, due now.
    pub async fn post(&self, account: &RigAccount, text: &str) -> TargetId {
        let connection = self.connection(account).await.to_string();
        let at = self.now.to_rfc3339();
        let printed = self.mooring(&[
            "post",
            "--workspace",
            "Harbour",
            "--to",
            &connection,
            "--text",
            text,
            "--at",
            &at,
        ]);
        let target = printed
            .lines()
            .nth(1)
            .expect("the command prints post and target");
        target.trim().parse().expect("a target's id")
    }
}
