//! mooring-workers
