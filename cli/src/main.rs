//! mooring
fn main() {}
