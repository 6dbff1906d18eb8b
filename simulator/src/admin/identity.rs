//! What accounts are called and what they are: names, ids, kinds.

use super::{Admin, AdminError};

impl Admin {
    /// Gives a page another name.
    pub fn rename_facebook_page(&self, page: &str, name: &str) -> Result<(), AdminError> {
        self.with(|w| {
            let known = w.facebook.pages.get_mut(page);
            let known = known.ok_or_else(|| AdminError::not_found("page", page))?;
            name.clone_into(&mut known.name);
            Ok(())
        })
    }

    /// The same page under another id, which is returned; tokens for the old id reach nothing any more.
    pub fn move_facebook_page(&self, page: &str) -> Result<String, AdminError> {
        self.with(|w| {
            let known = w.facebook.pages.remove(page);
            let known = known.ok_or_else(|| AdminError::not_found("page", page))?;
            let id = format!("9{page}");
            for user in w.facebook.users.values_mut() {
                for held in user.pages.iter_mut().filter(|held| *held == page) {
                    held.clone_from(&id);
                }
            }
            w.facebook.pages.insert(id.clone(), known);
            Ok(id)
        })
    }

    /// What kind of account an Instagram account is: `BUSINESS`, `MEDIA_CREATOR` or `PERSONAL`.
    pub fn set_instagram_type(&self, account: &str, kind: &str) -> Result<(), AdminError> {
        self.with(|w| {
            let known = w.instagram.accounts.get_mut(account);
            let known = known.ok_or_else(|| AdminError::not_found("account", account))?;
            kind.clone_into(&mut known.kind);
            Ok(())
        })
    }

    /// Lets a person subscribe to X Premium, or end that.
    pub fn set_x_premium(&self, user: &str, on: bool) -> Result<(), AdminError> {
        self.with(|w| {
            let known = w.x.users.get_mut(user);
            let known = known.ok_or_else(|| AdminError::not_found("user", user))?;
            known.premium = on;
            Ok(())
        })
    }
}
