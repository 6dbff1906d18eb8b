//! mooring-gateway
