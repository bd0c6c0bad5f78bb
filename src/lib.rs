//! nbe
