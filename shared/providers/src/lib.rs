//! mooring-providers
