//! mooring-vault
