//! BGAPI 1.x.
#![cfg_attr(not(feature = "std"), no_std)]
