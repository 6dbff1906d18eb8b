//! The platforms' ledger beside our books.

use std::collections::{BTreeMap, HashMap};

use mooring_domain::{Platform, TargetId, post::Stage};
use mooring_simulator::{LedgerEntry, LedgerFilter};
use mooring_store::TargetRow;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Size, books,
    crew::Crew,
    lab::Lab,
    posts::Planned,
    trouble::{self, Struck},
};

/// What came of the publishes, of all of them or of one way in.
#[derive(Debug, Clone, Default, Serialize)]
struct Counts {
    planned: u64,
    /// Accepted by our books, and once in the ledger.
    published: u64,
    /// … and seen live.
    verified: u64,
    /// … and accepted where the platform lets nobody look.
    unverifiable: u64,
    /// Refused by the platform, as it was told to.
    failed_scripted: u64,
    /// Ended loudly without anybody knowing how.
    unconfirmed: u64,
    /// Posts in the ledger beyond the first of their marker.
    doubled: u64,
    /// Neither in the ledger nor ended in one of the ways above.
    lost: u64,
    /// Published by our books, and not in the ledger.
    falsely_published: u64,
    /// Failed or missed by our books, and in the ledger.
    falsely_failed: u64,
    /// Not at an end.
    unfinished: u64,
}

/// A run's result.
pub(super) struct Report {
    all: Counts,
    ways: BTreeMap<Platform, Counts>,
    /// Publishes whose end nobody could know where nobody can look, by way in.
    unknowns: BTreeMap<Platform, u64>,
    faults: BTreeMap<&'static str, u64>,
    /// Posts in the ledger that nobody asked for, or in a place that nobody named.
    strays: u64,
    /// Posts in the ledger that the platform refused.
    refused_out: u64,
    more: Value,
    /// The first posts with which something is wrong.
    wrong: Vec<String>,
    problems: Vec<String>,
}

pub(super) async fn judge(lab: &Lab, crew: &Crew, struck: &Struck) -> Report {
    let rows = lab.store.targets(lab.workspace).await;
    let rows: HashMap<TargetId, TargetRow> = rows
        .expect("the books answer")
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let ledger = lab.sim.admin().ledger(&LedgerFilter::default());
    let mut copies: HashMap<(&str, &str), u64> = HashMap::new();
    for entry in &ledger {
        *copies.entry((marker(entry), &entry.account)).or_default() += 1;
    }
    let mut report = Report {
        all: Counts::default(),
        ways: BTreeMap::new(),
        unknowns: BTreeMap::new(),
        faults: BTreeMap::new(),
        strays: 0,
        refused_out: 0,
        more: Value::Null,
        wrong: Vec::new(),
        problems: Vec::new(),
    };
    let mut told = 0;
    for planned in &lab.planned {
        let key = (planned.marker.as_str(), planned.place.remote_id.as_str());
        let found = copies.remove(&key).unwrap_or(0);
        told += found;
        let row = &rows[&planned.target];
        if !report.count(planned, row, found) && report.wrong.len() < 5 {
            let story = books::story(&lab.store, planned.target.uuid()).await;
            let wrong = format!(
                "{} on {:?}, {found} in the ledger: {story}",
                planned.marker, planned.place
            );
            report.wrong.push(wrong);
        }
    }
    report.strays = ledger.len() as u64 - told;
    report.measure(lab, crew, struck).await;
    report.find_problems(lab, crew, struck);
    report
}

/// The word of a post by which it is known.
fn marker(entry: &LedgerEntry) -> &str {
    let mut words = entry.text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .rfind(|word| word.starts_with("FR"))
        .unwrap_or_default()
}

impl Report {
    /// Counts one publish. Returns whether it is as it should be.
    fn count(&mut self, planned: &Planned, row: &TargetRow, copies: u64) -> bool {
        let mut one = Counts {
            planned: 1,
            doubled: copies.saturating_sub(1),
            ..Counts::default()
        };
        let scripted = planned.place.refusing;
        self.refused_out += if scripted { copies } else { 0 };
        match (row.stage, copies) {
            (Stage::Accepted, 0) => one.falsely_published = 1,
            (Stage::Accepted, _) => one.published = 1,
            (Stage::Unconfirmed, _) => one.unconfirmed = 1,
            (Stage::Failed, 0) if scripted => one.failed_scripted = 1,
            (Stage::Scheduled | Stage::Begun, _) => one.unfinished = 1,
            (_, 0) => one.lost = 1,
            _ => one.falsely_failed = 1,
        }
        match row.verdict.as_deref() {
            Some("live") => one.verified = one.published,
            Some("unverifiable") => one.unverifiable = one.published,
            _ => {}
        }
        let good = one.published + one.unconfirmed + one.failed_scripted == 1
            && one.doubled == 0
            && one.published == one.verified + one.unverifiable
            && (one.unconfirmed == 0 || trouble::may_end_unconfirmed(planned.place.platform));
        self.all.add(&one);
        self.ways
            .entry(planned.place.platform)
            .or_default()
            .add(&one);
        good
    }

    async fn measure(&mut self, lab: &Lab, crew: &Crew, struck: &Struck) {
        for ((_, name), hits) in struck {
            *self.faults.entry(name).or_default() += hits;
        }
        let losses = books::losses(&lab.store).await;
        for platform in Platform::ALL
            .into_iter()
            .filter(|one| trouble::may_end_unconfirmed(*one))
        {
            let died = losses.get(platform.as_str()).copied().unwrap_or(0);
            self.unknowns
                .insert(platform, trouble::unknowns(struck, platform) + died);
        }
        let delays = books::delays(&lab.store).await;
        self.faults.insert("processing_delay", delays);
        self.faults.insert("worker_killed", crew.kills as u64);
        self.faults.insert("redis_wiped", crew.wipes as u64);
        self.faults
            .insert("postgres_restarted", lab.postgres.crashes() as u64);
        self.faults
            .insert("worker_overtaken", crew.overtaken as u64);
        // Who is overtaken finds out when it applies, or already when it extends its leases.
        let discards = lab.fleet.logged("decision.discarded") + lab.fleet.logged("job.undecided");
        self.more = json!({
            "kills_in_mid_call": crew.kills_in_mid_call,
            "workers_started_anew": crew.started_anew,
            "envelopes_lost": crew.envelopes_lost,
            "publishes_begun_and_lost": losses,
            "decisions_discarded": discards,
            "limits_met": books::limits(&lab.store).await,
            "jobs_poisoned": books::told(&lab.store, "job_poisoned").await,
            "verdicts_in_15_min": books::verdicts_in_time(&lab.store).await,
        });
    }

    fn find_problems(&mut self, lab: &Lab, crew: &Crew, struck: &Struck) {
        let fixed = self.counts_as_they_must_be();
        let fixed = fixed.into_iter().chain(self.happenings(lab, crew));
        let mut must: Vec<(bool, String)> = fixed
            .map(|(holds, problem)| (holds, problem.to_owned()))
            .collect();
        for scope in ["account", "app"] {
            let met = self.more["limits_met"].get(scope).is_some();
            must.push((met, format!("no limit of the {scope} was met")));
        }
        for kind in trouble::kinds() {
            let hits = self.faults.get(kind).copied().unwrap_or(0);
            must.push((hits > 0, format!("{kind} never struck")));
        }
        for (platform, counts) in &self.ways {
            let allowed = self.unknowns.get(platform).copied().unwrap_or(0);
            let few = counts.unconfirmed <= allowed;
            must.push((
                few,
                format!("{platform}: more unconfirmed than left unknown"),
            ));
            let mut hits = struck.iter().filter(|((one, _), _)| one == platform);
            must.push((
                hits.any(|(_, hits)| *hits > 0),
                format!("{platform}: nothing struck"),
            ));
        }
        let broken = must.into_iter().filter(|(holds, _)| !holds);
        self.problems = broken.map(|(_, problem)| problem).collect();
    }

    /// What the run demands.
    fn counts_as_they_must_be(&self) -> [(bool, &'static str); 10] {
        let all = &self.all;
        let ended = all.published + all.failed_scripted + all.unconfirmed;
        let seen = all.verified + all.unverifiable;
        [
            (all.doubled == 0, "something is doubled"),
            (all.lost == 0, "something is lost"),
            (all.falsely_published == 0, "something is falsely published"),
            (all.falsely_failed == 0, "something is falsely failed"),
            (all.unfinished == 0, "something has no end"),
            (self.strays == 0, "something is out that nobody asked for"),
            (self.refused_out == 0, "something is out that was refused"),
            (all.planned == ended, "not everything ended as it may"),
            (
                all.published == seen,
                "something published has no good verdict",
            ),
            (all.failed_scripted > 0, "nothing failed as scripted"),
        ]
    }

    /// What must have happened, or the run shows nothing.
    fn happenings(&self, lab: &Lab, crew: &Crew) -> [(bool, &'static str); 8] {
        [
            (crew.kills >= 3, "too few kills"),
            (crew.kills_in_mid_call > 0, "no kill hit anything"),
            (crew.wipes == 2, "Redis was not wiped twice"),
            (crew.envelopes_lost > 1, "nothing went with Redis"),
            (lab.postgres.crashes() == 1, "PostgreSQL did not crash"),
            (crew.overtaken > 0, "nobody was overtaken"),
            (
                self.more["decisions_discarded"] != 0,
                "nothing was discarded",
            ),
            (
                self.faults["processing_delay"] > 0,
                "no platform took its time",
            ),
        ]
    }

    /// One line for machines.
    pub(super) fn json(&self, size: Size, took: std::time::Duration) -> Value {
        let mut report = json!({
            "seed": size.seed,
            "faults": self.faults,
            "strays": self.strays,
            "unknowns": self.unknowns,
            "ways": self.ways,
            "duration_s": took.as_secs(),
        });
        for part in [json!(self.all), self.more.clone()] {
            let (Value::Object(all), Value::Object(part)) = (&mut report, part) else {
                unreachable!("they were made as objects");
            };
            all.extend(part);
        }
        report
    }

    pub(super) fn assert(&self) {
        assert!(
            self.problems.is_empty(),
            "{}\nthe first posts with which something is wrong:\n{}",
            self.problems.join("; "),
            self.wrong.join("\n")
        );
    }
}

impl Counts {
    fn add(&mut self, more: &Self) {
        self.planned += more.planned;
        self.published += more.published;
        self.verified += more.verified;
        self.unverifiable += more.unverifiable;
        self.failed_scripted += more.failed_scripted;
        self.unconfirmed += more.unconfirmed;
        self.doubled += more.doubled;
        self.lost += more.lost;
        self.falsely_published += more.falsely_published;
        self.falsely_failed += more.falsely_failed;
        self.unfinished += more.unfinished;
    }
}
