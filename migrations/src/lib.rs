//! mooring-migrations
