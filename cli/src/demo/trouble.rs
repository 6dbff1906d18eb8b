//! The platforms' misfortunes: what happens to real ones, more often than to real ones.

use mooring_simulator::{Fault, FaultKind, Platform, RunningSimulator};

pub(super) fn stir(simulator: &RunningSimulator) -> anyhow::Result<()> {
    let admin = simulator.admin();
    let status = |code| FaultKind::Status { code, body: None };
    for platform in [Platform::Facebook, Platform::Bluesky] {
        for (operation, kind, probability) in [
            ("publish", FaultKind::LostAnswer, 0.05),
            ("publish", FaultKind::DroppedRequest, 0.03),
            (
                "publish",
                FaultKind::ErrorAlthoughCreated {
                    code: None,
                    body: None,
                },
                0.02,
            ),
            ("publish", status(503), 0.03),
            ("publish", FaultKind::RateLimited { reset_s: 5 }, 0.02),
            ("publish", FaultKind::Garbage, 0.02),
            ("publish", FaultKind::LatencyMs { ms: 400 }, 0.10),
            ("refresh", status(502), 0.05),
            ("check", status(500), 0.05),
            ("check", FaultKind::DroppedRequest, 0.02),
            ("read_back", status(500), 0.05),
            ("find", status(503), 0.05),
        ] {
            admin.add_fault(Fault::new(platform, operation, kind).probability(probability))?;
        }
    }
    Ok(())
}
