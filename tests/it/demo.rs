//! `mooring demo`, as somebody sees it who runs it for the first time.

use mooring_domain::Platform;
use mooring_tests::Fleet;
use serde_json::Value;

/// What a run of the demo told.
struct Demo {
    success: bool,
    told: Value,
    progress: Vec<String>,
}

fn demo(more: &[&str]) -> Demo {
    let fleet = Fleet::new([]);
    let mut args = vec!["demo", "--exit-after", "60s", "--json"];
    args.extend(more);
    let output = fleet.command(&args).output().expect("the program runs");
    let out = String::from_utf8(output.stdout).expect("standard output is text");
    let err = String::from_utf8(output.stderr).expect("standard error is text");
    let last = out
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no result:\n{err}"));
    let told = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
    let left = std::fs::read_dir(fleet.folder())
        .expect("the folder")
        .count();
    assert_eq!(
        left, 0,
        "the demo leaves nothing in the folder where it is run"
    );
    Demo {
        success: output.status.success(),
        told,
        progress: err
            .lines()
            .filter(|line| line.contains("  checks "))
            .map(str::to_owned)
            .collect(),
    }
}

impl Demo {
    fn number(&self, name: &str) -> u64 {
        self.told[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} is no number: {}", self.told))
    }

    /// A number of one platform.
    fn of(&self, platform: Platform, name: &str) -> u64 {
        self.told["platforms"][platform.as_str()][name]
            .as_u64()
            .unwrap_or_else(|| panic!("{platform}: {name} is no number: {}", self.told))
    }

    /// Every platform has its jobs, and the parts are the whole.
    fn every_platform(&self) {
        for platform in Platform::ALL {
            for name in ["connections", "checks", "published"] {
                assert!(
                    self.of(platform, name) > 0,
                    "{platform}: {name}: {}",
                    self.told
                );
            }
            let proof = if platform.capabilities().reads_back {
                "verified"
            } else {
                "unverifiable"
            };
            assert!(
                self.of(platform, proof) > 0,
                "{platform}: {proof}: {}",
                self.told
            );
        }
        for name in [
            "connections",
            "checks",
            "targets",
            "published",
            "verified",
            "unverifiable",
        ] {
            let parts: u64 = Platform::ALL.map(|one| self.of(one, name)).iter().sum();
            assert_eq!(parts, self.number(name), "{name}: {}", self.told);
        }
    }

    /// What every run must show: a fleet, every kind of job done on every platform, nothing doubled, nothing lost.
    fn sound(&self) {
        for line in &self.progress {
            println!("{line}");
        }
        println!("{}", self.told);
        assert!(self.success, "the exit status: {}", self.told);
        assert!(self.number("connections") >= 200);
        for kind in ["checks", "refreshed", "published", "verified"] {
            assert!(self.number(kind) > 0, "{kind}: {}", self.told);
        }
        self.every_platform();
        assert_eq!(
            (self.number("doubled"), self.number("lost")),
            (0, 0),
            "{}",
            self.told
        );
        assert!(
            self.progress.len() >= 5,
            "lines tell how it goes, where there is no terminal: {:?}",
            self.progress
        );
        assert!(
            !self.progress.iter().any(|line| line.contains('\x1b')),
            "no terminal's codes in lines"
        );
    }
}

#[test]
fn fleet_the_demo_publishes_each_post_once_on_platforms_that_misbehave() {
    let demo = demo(&[]);
    demo.sound();
    assert!(
        demo.number("faults") > 0,
        "the platforms really misbehaved: {}",
        demo.told
    );
    // Read, so that the result stays what the documentation says it is.
    for name in ["unresolved", "failed", "missed", "targets", "healthy"] {
        demo.number(name);
    }
}

#[test]
fn fleet_the_demo_is_calm_without_faults() {
    let demo = demo(&["--faults", "off"]);
    demo.sound();
    assert_eq!(demo.number("faults"), 0);
    let targets = demo.number("targets");
    for (name, wanted) in [
        ("unresolved", 0),
        ("failed", 0),
        ("missed", 0),
        ("published", targets),
    ] {
        assert_eq!(demo.number(name), wanted, "{name}: {}", demo.told);
    }
    // LinkedIn shows nobody what its members post.
    let judged = demo.number("verified") + demo.number("unverifiable");
    assert_eq!(judged, targets, "{}", demo.told);
    assert!(demo.number("verified") > targets * 9 / 10, "{}", demo.told);
}
