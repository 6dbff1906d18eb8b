//! Showing progress: one updating screen on a terminal, lines elsewhere.

use std::{
    cell::Cell,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use super::tally::Tally;

/// How often numbers are taken.
pub(super) const REFRESH: Duration = Duration::from_millis(500);

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

pub(super) struct Screen {
    terminal: bool,
    started: Instant,
    last_line: Cell<Option<Instant>>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            last_line: Cell::new(None),
        }
    }

    /// Progress goes to standard error, so that standard output stays the result's.
    pub(super) fn show(&self, tally: &Tally) {
        let seconds = self.started.elapsed().as_secs();
        let text = if self.terminal {
            format!("\x1b[2J\x1b[H{}", page(tally, seconds))
        } else {
            let now = Instant::now();
            let young = self.last_line.get().is_some_and(|last| now - last < LINE);
            if young {
                return;
            }
            self.last_line.set(Some(now));
            line(tally, seconds)
        };
        write(&text);
    }

    /// The last numbers; where there is no terminal, the platforms one by one, too.
    pub(super) fn end(&self, tally: &Tally) {
        self.last_line.set(None);
        self.show(tally);
        if !self.terminal {
            write(&table(tally));
        }
    }
}

fn write(text: &str) {
    let mut out = std::io::stderr().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        // Nobody watches any more; the run goes on and its result is on standard output.
        tracing::debug!("standard error is closed");
    }
}

/// One line per platform.
fn table(t: &Tally) -> String {
    let head = format!(
        "{:<26} {:>11} {:>6} {:>9} {:>8} {:>12}",
        "", "connections", "checks", "published", "verified", "unverifiable"
    );
    let rows = t.platforms.iter().map(|(platform, of)| {
        let name = platform.capabilities().display_name;
        let published = format!("{}/{}", of.published, of.targets);
        format!(
            "{name:<26} {:>11} {:>6} {published:>9} {:>8} {:>12}",
            of.connections, of.checks, of.verified, of.unverifiable
        )
    });
    let lines: Vec<String> = std::iter::once(head).chain(rows).collect();
    lines.join("\n") + "\n"
}

fn line(t: &Tally, seconds: u64) -> String {
    format!(
        "{seconds:>4} s  checks {}  refreshed {}  published {}/{}  verified {}  unresolved {}  failed {}  faults {}  doubled {}  lost {}\n",
        t.checks,
        t.refreshed,
        t.published,
        t.targets,
        t.verified,
        t.unresolved,
        t.failed,
        t.faults,
        t.doubled,
        t.lost
    )
}

fn page(t: &Tally, seconds: u64) -> String {
    let bar = |part: u64, whole: usize| {
        let whole = u64::try_from(whole).unwrap_or(1).max(1);
        let full = usize::try_from(part * 40 / whole).unwrap_or(0).min(40);
        format!("{}{}", "█".repeat(full), "░".repeat(40 - full))
    };
    format!(
        "Mooring demo, {seconds} s  (Ctrl-C ends it)\n\n\
         connections  {} {:>4} of {} healthy\n\
         published    {} {:>4} of {} targets\n\
         verified     {} {:>4} live\n\n\
         checks {}   refreshed {}   unresolved {}   missed {}   failed {}\n\n\
         {}\n\
         faults that struck: {}\n\
         doubled: {}   lost: {}   (by the platforms' own ledger)\n",
        bar(t.healthy, t.connections),
        t.healthy,
        t.connections,
        bar(t.published, t.targets),
        t.published,
        t.targets,
        bar(t.verified, t.targets),
        t.verified,
        t.checks,
        t.refreshed,
        t.unresolved,
        t.missed,
        t.failed,
        table(t),
        t.faults,
        t.doubled,
        t.lost,
    )
}
