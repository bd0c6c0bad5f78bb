//! nbe.toml.
