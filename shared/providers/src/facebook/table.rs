//! The Graph API's error numbers, row by row.
//!
//! The numbers are those of Meta's "Handle Errors" guide and of schedulers in production, the texts those of real
//! bodies: code 190 comes more often without its subcode than with it. Numbers are compared as numbers, never looked
//! for in a text, because ids contain them.

use super::wire::GraphError;

/// What the first row that fits says.
pub(super) fn class_of(error: &GraphError) -> Option<Class> {
    TABLE.iter().find(|row| row.fits(error)).map(|row| row.3)
}

/// What a row of the table means.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Expired,
    Revoked,
    Security,
    Scope,
    /// A permission is missing, and the text names it.
    NamedScope,
    Unavailable,
    Checkpoint,
    App,
    /// The content, when it was sent; anywhere else our own call is wrong.
    Content,
    Duplicate,
    /// A medium is not ready yet.
    Media,
    RateAccount,
    RateApp,
    Down,
    /// Understood, and no fault of anybody but us.
    OurCall,
}

#[derive(Clone, Copy)]
enum Code {
    Is(u32),
    From(u32, u32),
    /// Seen as code and as subcode.
    Either(u32),
}

#[derive(Clone, Copy)]
enum Sub {
    Is(u32),
    Any,
}

/// Code, subcode, part of the text in lower case, meaning. The first row that fits wins.
struct Row(Code, Sub, &'static str, Class);

use Class as C;
use Code::{Either, From, Is};
use Sub::Any;

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row(Is(190), Sub::Is(458), "", C::Revoked),
    Row(Is(190), Sub::Is(459), "", C::Checkpoint),
    Row(Is(190), Sub::Is(460), "", C::Security),
    Row(Is(190), Sub::Is(463), "", C::Expired),
    Row(Is(190), Sub::Is(464), "", C::Checkpoint),
    Row(Is(190), Sub::Is(466), "", C::Revoked),
    Row(Is(190), Sub::Is(467), "", C::Revoked),
    Row(Is(190), Sub::Is(490), "", C::Checkpoint),
    // No longer a role on the page; the check finds out more from the list of pages.
    Row(Is(190), Sub::Is(492), "", C::Scope),
    // A user token where a page token belongs.
    Row(Is(190), Sub::Is(2_069_032), "", C::OurCall),
    Row(Is(190), Any, "application has been deleted", C::App),
    Row(Is(190), Any, "cannot get application info", C::Down),
    Row(Is(190), Any, "changed their password", C::Security),
    Row(Is(190), Any, "for security reasons", C::Security),
    Row(Is(190), Any, "has not authorized application", C::Revoked),
    Row(Is(190), Any, "checkpoint", C::Checkpoint),
    Row(Is(190), Any, "log in at www.facebook.com", C::Checkpoint),
    Row(Is(190), Any, "not a confirmed user", C::Checkpoint),
    Row(Is(190), Any, "has expired", C::Expired),
    // Whatever else makes a token invalid: the guide's answer is a new one.
    Row(Is(190), Any, "", C::Revoked),
    Row(Is(101), Any, "", C::App),
    Row(Is(102), Any, "", C::Expired),
    Row(Is(1), Any, "client secret", C::App),
    Row(Is(1), Sub::Is(2_853_006), "", C::Scope),
    Row(Either(1_363_047), Any, "", C::Down),
    Row(Either(1_609_010), Any, "", C::Down),
    Row(Is(4), Sub::Is(2_207_051), "", C::Unavailable),
    Row(Either(1_390_008), Any, "", C::RateAccount),
    Row(Either(1_404_078), Any, "", C::Checkpoint),
    Row(Either(1_404_006), Any, "", C::Checkpoint),
    Row(Either(4_854_002), Any, "", C::Checkpoint),
    Row(Either(1_404_112), Any, "", C::Unavailable),
    Row(Either(1_366_051), Any, "", C::Duplicate),
    Row(Either(1_366_046), Any, "", C::Content),
    Row(Either(1_349_125), Any, "", C::Content),
    Row(Either(2_061_006), Any, "", C::Content),
    Row(Either(1_609_005), Any, "", C::Content),
    Row(Either(1_609_008), Any, "", C::Content),
    Row(Either(2_069_019), Any, "", C::Content),
    Row(Either(1_346_003), Any, "", C::Content),
    Row(Either(1_404_102), Any, "", C::Content),
    // Told to publish a video whose upload the platform does not see yet.
    Row(Either(1_363_130), Any, "", C::Media),
    // A chunk that does not fit: the platform says which one it wants.
    Row(Either(1_363_037), Any, "", C::Down),
    Row(Either(1_363_057), Any, "", C::Content),
    // After the subcodes: "unknown" and "temporary" are what the code says when the subcode says more.
    Row(Is(1), Any, "", C::Down),
    Row(Is(2), Any, "", C::Down),
    Row(Is(3), Any, "", C::Scope),
    Row(Is(4), Any, "", C::RateApp),
    Row(Is(10), Any, "", C::NamedScope),
    // A method, or a version, that is no more. Versions are watched by their header as well.
    Row(Is(12), Any, "", C::OurCall),
    Row(Is(2635), Any, "", C::OurCall),
    Row(Is(15), Any, "", C::App),
    Row(Is(17), Any, "", C::RateAccount),
    Row(Is(32), Any, "", C::RateAccount),
    Row(Is(33), Any, "", C::Unavailable),
    Row(Is(100), Sub::Is(33), "", C::Unavailable),
    Row(Is(100), Any, "appsecret_proof", C::App),
    Row(Is(100), Any, "must provide an app access token", C::App),
    Row(Is(100), Any, "authorization code", C::Revoked),
    Row(Is(100), Any, "verification code", C::Revoked),
    Row(Is(100), Any, "no permission to publish", C::Scope),
    Row(Is(100), Any, "", C::Content),
    Row(Is(200), Sub::Is(2_069_030), "", C::OurCall),
    Row(Is(200), Sub::Is(2_069_031), "", C::OurCall),
    Row(Is(200), Sub::Is(2_069_033), "", C::OurCall),
    Row(Is(200), Any, "non-active apps", C::App),
    Row(Is(200), Any, "api access blocked", C::App),
    // "Video not visible": says nothing about the account.
    Row(Is(222), Any, "", C::OurCall),
    Row(From(200, 299), Any, "", C::Scope),
    Row(Is(321), Any, "", C::Content),
    Row(Is(324), Any, "", C::Content),
    Row(Is(351), Any, "", C::Content),
    Row(Is(352), Any, "", C::Content),
    Row(Is(382), Any, "", C::Content),
    Row(Is(389), Any, "", C::Content),
    Row(Is(341), Any, "", C::RateApp),
    Row(Is(368), Any, "", C::Unavailable),
    Row(Is(506), Any, "", C::Duplicate),
    Row(Is(613), Any, "", C::RateAccount),
    // "Try again with another file", and "try again".
    Row(Is(6000), Any, "", C::Content),
    Row(Is(6001), Any, "", C::Down),
    Row(Is(104), Any, "", C::OurCall),
    Row(Is(2500), Any, "", C::OurCall),
    Row(Is(803), Any, "", C::Unavailable),
    Row(From(80_000, 80_014), Any, "", C::RateAccount),
];

impl Row {
    fn fits(&self, error: &GraphError) -> bool {
        let Self(code, sub, text, _) = self;
        let code = match *code {
            Is(code) => error.code == code,
            From(first, last) => (first..=last).contains(&error.code),
            Either(code) => error.code == code || error.error_subcode == Some(code),
        };
        let sub = match *sub {
            Sub::Is(sub) => error.error_subcode == Some(sub),
            Any => true,
        };
        code && sub && (text.is_empty() || error.message.to_ascii_lowercase().contains(text))
    }
}
