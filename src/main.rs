//! nbe
fn main() {}
