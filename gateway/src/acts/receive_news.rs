//! Writing down what a platform told us on its own.

use std::collections::HashMap;

use mooring_domain::{
    AppId, Change, Decision, Platform, Time, WorkspaceId, acts, decision::NewsCame, news::News,
};
use mooring_store::{Actor, Secrets, Store};

use super::ActError;

/// Keeps news for every workspace that it is about, each once, in one transaction. Returns for how many it was.
///
/// What nobody here is meant by is forgotten at once, apart from a person's request that may be asked for later.
pub async fn receive_news(
    store: &Store,
    actor: &Actor,
    (app, platform): (AppId, Platform),
    mut news: Vec<News>,
    now: Time,
) -> Result<usize, ActError> {
    // Two deliveries that tell the same in another order must not wait for each other.
    news.sort_by(|one, other| one.key.cmp(&other.key));
    let mut heard: HashMap<String, Vec<WorkspaceId>> = HashMap::new();
    let mut decisions = Vec::new();
    for one in news {
        if !heard.contains_key(&one.account) {
            let found = store.told_workspaces(app, &one.account).await?;
            heard.insert(one.account.clone(), found);
        }
        let workspaces = &heard[&one.account];
        let nobody = workspaces.is_empty() && one.what.code().is_some();
        let nobody = nobody.then(|| WorkspaceId::from_uuid(uuid::Uuid::nil()));
        for workspace in workspaces.iter().copied().chain(nobody) {
            let came = NewsCame {
                id: store.mint(now),
                app,
                platform,
                news: one.clone(),
                at: now,
            };
            let decision: Decision = acts::act().change(Change::NewsCame(Box::new(came)));
            decisions.push((workspace, decision));
        }
    }
    if !decisions.is_empty() {
        let nothing = Secrets::default();
        store.apply_acts(actor, &decisions, &nothing, now).await?;
    }
    Ok(decisions.len())
}
