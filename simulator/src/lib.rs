//! mooring-simulator
