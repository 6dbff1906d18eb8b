//! mooring-runtime
