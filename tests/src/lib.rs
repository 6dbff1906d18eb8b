//! mooring-tests
