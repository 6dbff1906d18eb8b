//! mooring-store
