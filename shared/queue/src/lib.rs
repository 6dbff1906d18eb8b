//! mooring-queue
