use super::*;
use crate::connection::tests::{facts, facts_but};

fn all_of(platform: Platform) -> Vec<String> {
    let row = platform.capabilities();
    let optional = row.optional_scopes.iter().map(|(scope, _)| scope);
    let all = row.required_scopes.iter().chain(optional);
    all.map(|scope| (*scope).to_owned()).collect()
}

fn without(platform: Platform, scope: &str) -> Vec<String> {
    let mut granted = all_of(platform);
    granted.retain(|one| one != scope);
    granted
}

fn off(platform: Platform, facts: &Facts) -> Vec<(Right, String)> {
    let off = rights_off(platform, facts).into_iter();
    off.map(|one| (one.right, one.why)).collect()
}

fn off_but(change: impl FnOnce(&mut Facts)) -> Vec<(Right, String)> {
    off(Platform::Bluesky, &facts_but(change))
}

#[test]
fn row_016_every_required_scope_that_is_missing_is_named() {
    for platform in Platform::ALL {
        assert!(missing_scopes(platform, &all_of(platform)).is_empty());
        for scope in platform.capabilities().required_scopes {
            let granted = without(platform, scope);
            assert_eq!(missing_scopes(platform, &granted), [*scope], "{platform}");
        }
    }
}

#[test]
fn row_039_a_declined_optional_scope_is_named_with_the_right_that_is_off() {
    for platform in Platform::ALL {
        assert!(declined_scopes(platform, &all_of(platform)).is_empty());
        for (scope, right) in platform.capabilities().optional_scopes {
            let granted = without(platform, scope);
            assert!(
                missing_scopes(platform, &granted).is_empty(),
                "not a required one"
            );
            let declined = declined_scopes(platform, &granted);
            let named: Vec<_> = declined.iter().map(|one| one.scope.as_str()).collect();
            assert_eq!(named, [*scope], "{platform}");
            assert!(!may(&declined, *right), "{platform} {scope}");
            let facts = facts_but(|f| f.scopes_declined = declined);
            let why = "scope_declined".to_owned();
            assert!(
                off(platform, &facts).contains(&(*right, why)),
                "{platform} {scope}"
            );
        }
    }
}

#[test]
fn row_039_a_declined_right_is_off_and_every_other_one_is_not() {
    let declined = |right| {
        let scope = "some".to_owned();
        vec![Declined { scope, right }]
    };
    for right in Right::ALL {
        for other in Right::ALL {
            assert_eq!(may(&declined(right), other), right != other);
        }
    }
}

#[test]
fn each_right_is_off_for_its_strongest_reason_once() {
    assert_eq!(off(Platform::Bluesky, &facts()), [], "all is well");
    let why = |code: &str| (Right::Publish, code.to_owned());
    let lost = off_but(|f| f.account = Some(AccountState::RoleLost));
    assert_eq!(lost, [why("account")]);
    let missing = off_but(|f| f.scopes_missing = vec!["atproto".to_owned()]);
    assert_eq!(missing, [why("scopes_missing")]);
    let revoked = off_but(|f| {
        f.auth_state = AuthState::Revoked;
        f.account = Some(AccountState::Gone);
    });
    let reasons: Vec<_> = revoked.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(reasons, ["auth_state"; 4]);
}

#[test]
fn row_070_an_account_of_an_old_method_cannot_publish_and_one_of_the_new_can() {
    let platform = Platform::Instagram;
    let old = ["user_profile", "user_media"].map(str::to_owned);
    assert!(is_of_old_method(platform, &old));
    let former_names = ["business_basic", "business_content_publish"].map(str::to_owned);
    assert!(is_of_old_method(platform, &former_names));
    let mut both = all_of(platform);
    both.extend(old);
    assert!(!is_of_old_method(platform, &both), "reconnected since");
    let partly = without(platform, "instagram_business_content_publish");
    assert!(!is_of_old_method(platform, &partly), "a new one, declined");
    let facts = facts_but(|f| f.publishing = Some(Publishing::OldMethod));
    let publish = (Right::Publish, "old_method".to_owned());
    assert!(off(platform, &facts).contains(&publish));
}

#[test]
fn no_scope_is_both_former_and_present() {
    for platform in Platform::ALL {
        let former = platform.capabilities().former_scopes;
        let present = all_of(platform);
        for scope in former {
            assert!(
                !present.iter().any(|one| one == scope),
                "{platform} {scope}"
            );
        }
    }
}
