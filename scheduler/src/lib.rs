//! mooring-scheduler
