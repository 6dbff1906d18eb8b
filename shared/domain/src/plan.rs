//! What a workspace may connect, as data: which platforms, and how many accounts of each.

use serde::{Deserialize, Serialize};

use crate::{
    acts::act,
    decision::{Change, Decision},
    event::Event,
    id::WorkspaceId,
    platform::Platform,
};

/// A workspace's plan. Without one, everything may be connected. Whatever is connected already stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// The platforms that may be connected; `None` = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platforms: Option<Vec<Platform>>,
    /// Accounts per network (both ways into Instagram count together); `None` = unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_platform: Option<u32>,
}

/// Why a plan does not allow an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanRefused {
    /// The platform is not part of it.
    Platform,
    /// So many accounts of the network are connected already.
    Limit(u32),
}

impl Plan {
    /// Whether one more account may be connected where `connected` of its network are.
    pub fn admits(&self, platform: Platform, connected: u64) -> Result<(), PlanRefused> {
        if let Some(platforms) = &self.platforms
            && !platforms.contains(&platform)
        {
            return Err(PlanRefused::Platform);
        }
        match self.per_platform {
            Some(limit) if connected >= u64::from(limit) => Err(PlanRefused::Limit(limit)),
            _ => Ok(()),
        }
    }
}

/// The platforms that share a platform's network, itself included: a plan counts their accounts together.
#[must_use]
pub fn network_of(platform: Platform) -> Vec<Platform> {
    let network = platform.capabilities().network;
    let same = |one: &Platform| one.capabilities().network == network;
    Platform::ALL.into_iter().filter(same).collect()
}

/// A workspace's plan from now on.
#[must_use]
pub fn set_plan(workspace: WorkspaceId, plan: Plan) -> Decision {
    act()
        .event(Event::PlanChanged {
            workspace,
            plan: plan.clone(),
        })
        .change(Change::PlanSet { plan })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_platforms_and_a_number() {
        let everything = Plan::default();
        assert_eq!(everything.admits(Platform::X, 1_000), Ok(()));
        let small = Plan {
            platforms: Some(vec![Platform::Facebook]),
            per_platform: Some(3),
        };
        assert_eq!(small.admits(Platform::Facebook, 2), Ok(()));
        assert_eq!(
            small.admits(Platform::Facebook, 3),
            Err(PlanRefused::Limit(3))
        );
        assert_eq!(small.admits(Platform::X, 0), Err(PlanRefused::Platform));
    }

    #[test]
    fn ways_into_one_network_count_together() {
        let instagram = network_of(Platform::Instagram);
        assert!(instagram.contains(&Platform::InstagramFacebook));
        assert_eq!(network_of(Platform::X), [Platform::X]);
    }

    #[test]
    fn a_plan_reads_itself_back() {
        let plan = Plan {
            platforms: Some(vec![Platform::LinkedInPage]),
            per_platform: None,
        };
        let json = serde_json::to_value(&plan).expect("json");
        assert_eq!(json, serde_json::json!({"platforms": ["linkedin_page"]}));
        assert_eq!(serde_json::from_value::<Plan>(json).expect("a plan"), plan);
    }
}
