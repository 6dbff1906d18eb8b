//! What a platform tells about an account beyond whether it can be reached: what it is, what the person may do there,
//! and what it takes. Facts of the account, read at every check, and none of them a constant of the platform.

use serde::{Deserialize, Serialize};

/// Whatever the platform told; what it does not tell is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountFacts {
    /// The name that people see, where the account has another one as its handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Address of its picture. Some platforms sign it, so that it changes with every look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// What kind of account it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AccountKind>,
    /// What the person behind the grant is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<AccountRole>,
    /// Whether the account, as it is, may be published to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publishing: Option<Publishing>,
    /// The subscription that its limits follow from, in the platform's own word (X: `Premium`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Longest text that this account may post, in the platform's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_max: Option<u32>,
    /// Longest video that this account may post, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_max_s: Option<u32>,
    /// Who may be shown its posts, in the platform's own words, where each account has a choice of its own (TikTok).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audiences: Option<Vec<String>>,
    /// Country or region, as the platform names it, where its rules depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether the platform has verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// The account of another network that it hangs on (Threads: the Instagram account).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tied_to: Option<String>,
    /// Where it has moved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
}

/// What kind of account something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A company's.
    Business,
    /// A professional person's.
    Creator,
    /// A private person's.
    Personal,
    /// A page that several people may run.
    Page,
    /// A channel.
    Channel,
    /// A program's.
    Bot,
}

/// What a person is at an account that several people run. The platforms' many words, in the order of their rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRole {
    /// Runs it.
    Admin,
    /// Posts.
    Editor,
    /// Answers and hides comments; posts nothing.
    Moderator,
    /// Looks.
    Viewer,
    /// Has no role there (any more).
    None,
}

impl AccountRole {
    /// Whether the role may publish.
    #[must_use]
    pub const fn publishes(self) -> bool {
        matches!(self, Self::Admin | Self::Editor)
    }
}

/// Whether an account may be published to, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publishing {
    /// It may.
    Allowed,
    /// The person's role does not allow it.
    Role,
    /// Accounts of this kind cannot be published to through the API.
    AccountKind,
    /// The platform does not offer it where the account is.
    Region,
    /// It was connected in a way that the platform has given up; a reconnect brings the right.
    OldMethod,
    /// The platform offers this account no posting through its API and does not say why: its kind, or where it is.
    NotOffered,
}

impl Publishing {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Role => "role",
            Self::AccountKind => "account_kind",
            Self::Region => "region",
            Self::OldMethod => "old_method",
            Self::NotOffered => "not_offered",
        }
    }

    /// Why not; `None` when it may.
    #[must_use]
    pub fn denied(self) -> Option<Self> {
        (self != Self::Allowed).then_some(self)
    }
}

impl AccountFacts {
    /// These facts with newer ones: what was not told this time stays as it was.
    #[must_use]
    pub fn updated_by(&self, newer: &Self) -> Self {
        fn either<T: Clone>(newer: Option<&T>, older: Option<&T>) -> Option<T> {
            newer.or(older).cloned()
        }
        Self {
            display_name: either(newer.display_name.as_ref(), self.display_name.as_ref()),
            avatar: either(newer.avatar.as_ref(), self.avatar.as_ref()),
            kind: newer.kind.or(self.kind),
            role: newer.role.or(self.role),
            publishing: newer.publishing.or(self.publishing),
            tier: either(newer.tier.as_ref(), self.tier.as_ref()),
            text_max: newer.text_max.or(self.text_max),
            video_max_s: newer.video_max_s.or(self.video_max_s),
            audiences: either(newer.audiences.as_ref(), self.audiences.as_ref()),
            region: either(newer.region.as_ref(), self.region.as_ref()),
            verified: newer.verified.or(self.verified),
            tied_to: either(newer.tied_to.as_ref(), self.tied_to.as_ref()),
            moved_to: either(newer.moved_to.as_ref(), self.moved_to.as_ref()),
        }
    }

    /// What a person would want to be told of, by name. Never the picture, whose address may change with every look.
    #[must_use]
    pub fn changes_since(&self, older: &Self) -> Vec<&'static str> {
        let table = [
            ("display_name", self.display_name == older.display_name),
            ("kind", self.kind == older.kind),
            ("role", self.role == older.role),
            ("publishing", self.publishing == older.publishing),
            ("tier", self.tier == older.tier),
            ("text_max", self.text_max == older.text_max),
            ("video_max_s", self.video_max_s == older.video_max_s),
            ("audiences", self.audiences == older.audiences),
            ("region", self.region == older.region),
            ("verified", self.verified == older.verified),
            ("tied_to", self.tied_to == older.tied_to),
            ("moved_to", self.moved_to == older.moved_to),
        ];
        table
            .into_iter()
            .filter(|(_, same)| !same)
            .map(|(name, _)| name)
            .collect()
    }
}
