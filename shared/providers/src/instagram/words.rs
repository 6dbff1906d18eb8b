//! What the three ways in call the same things.

use mooring_domain::Platform;

/// An edge of an account: how it stands in spans, and in paths.
pub(crate) struct Edge {
    pub(crate) template: &'static str,
    pub(crate) name: &'static str,
}

/// A platform's words for containers, posts and permissions.
pub(crate) struct Words {
    pub(crate) platform: Platform,
    /// Where containers are made.
    pub(crate) contain: Edge,
    /// Where they are published.
    pub(crate) publish: Edge,
    /// Where posts are listed.
    pub(crate) list: Edge,
    /// Where the quota is read; it needs the permission to publish, and changes nothing.
    pub(crate) limit: Edge,
    /// A container in spans.
    pub(crate) container: &'static str,
    /// A post in spans.
    pub(crate) media: &'static str,
    /// What tells how far a container is.
    pub(crate) status_fields: &'static str,
    /// What of a post is read.
    pub(crate) post_fields: &'static str,
    /// Without this permission nothing is answered.
    pub(crate) basic: &'static str,
    /// The permission to publish.
    pub(crate) may_publish: &'static str,
    /// The way of a log-in of its own; Facebook Login has another.
    pub(crate) login: Option<LoginWords>,
}

/// Words of a log-in.
pub(crate) struct LoginWords {
    /// `grant_type` for a long-lived token in the place of a short-lived one.
    pub(crate) exchange: &'static str,
    /// `grant_type` for a renewed long-lived token.
    pub(crate) refresh: &'static str,
    /// What `/me` is asked for.
    pub(crate) me_fields: &'static str,
    /// Whether the platform tells about a token without using it.
    pub(crate) introspects: bool,
    /// Whether the account hangs on an Instagram account of the same name.
    pub(crate) tied_to_instagram: bool,
}

/// What of a post on Instagram is read.
const POST_FIELDS: &str = "id,caption,permalink,timestamp,media_product_type";

/// Instagram Login.
pub(crate) static INSTAGRAM: Words = OWN_LOGIN;

const OWN_LOGIN: Words = Words {
    platform: Platform::Instagram,
    contain: Edge {
        template: "/{ig-user-id}/media",
        name: "media",
    },
    publish: Edge {
        template: "/{ig-user-id}/media_publish",
        name: "media_publish",
    },
    list: Edge {
        template: "/{ig-user-id}/media",
        name: "media",
    },
    limit: Edge {
        template: "/{ig-user-id}/content_publishing_limit",
        name: "content_publishing_limit",
    },
    container: "/{ig-container-id}",
    media: "/{ig-media-id}",
    status_fields: "id,status_code,status",
    post_fields: POST_FIELDS,
    basic: "instagram_business_basic",
    may_publish: "instagram_business_content_publish",
    login: Some(LoginWords {
        exchange: "ig_exchange_token",
        refresh: "ig_refresh_token",
        me_fields: "id,user_id,username,name,account_type,profile_picture_url",
        introspects: false,
        tied_to_instagram: false,
    }),
};

/// Facebook Login.
pub(crate) static INSTAGRAM_FACEBOOK: Words = Words {
    platform: Platform::InstagramFacebook,
    basic: "instagram_basic",
    may_publish: "instagram_content_publish",
    login: None,
    ..OWN_LOGIN
};

/// Threads.
pub(crate) static THREADS: Words = Words {
    platform: Platform::Threads,
    contain: Edge {
        template: "/{threads-user-id}/threads",
        name: "threads",
    },
    publish: Edge {
        template: "/{threads-user-id}/threads_publish",
        name: "threads_publish",
    },
    list: Edge {
        template: "/{threads-user-id}/threads",
        name: "threads",
    },
    limit: Edge {
        template: "/{threads-user-id}/threads_publishing_limit",
        name: "threads_publishing_limit",
    },
    container: "/{threads-container-id}",
    media: "/{threads-media-id}",
    status_fields: "id,status,error_message",
    post_fields: "id,text,permalink,timestamp",
    basic: "threads_basic",
    may_publish: "threads_content_publish",
    login: Some(LoginWords {
        exchange: "th_exchange_token",
        refresh: "th_refresh_token",
        me_fields: "id,username,name,threads_profile_picture_url,is_verified",
        introspects: true,
        tied_to_instagram: true,
    }),
};
