//! mooring-domain
