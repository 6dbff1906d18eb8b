//! LinkedIn Pages.

use crate::{
    platform::{Capabilities, Lookup},
    time::seconds,
};

/// An organization's posts: found among the author's posts, which list a new one after up to a minute, and read back.
/// The rest is as for members.
pub(in crate::platform) static LINKEDIN_PAGE: Capabilities = Capabilities {
    name: "linkedin_page",
    display_name: "LinkedIn Pages",
    required_scopes: &[
        "w_organization_social",
        "r_organization_social",
        "rw_organization_admin",
    ],
    former_scopes: &[],
    lookup: Lookup::Recent,
    settle: seconds(60),
    reads_back: true,
    webhooks: &["ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"],
    ..super::LINKEDIN
};
