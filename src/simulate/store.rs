//! The persistent store, which outlives restarts.

use std::collections::BTreeMap;

use bgapi::flash::{USER_KEYS, event};
use bgapi::{ByteArray, ErrorCode};

use super::output::Output;

/// Values of up to 32 bytes under the keys that are the application's.
#[derive(Clone, Debug, Default)]
pub(super) struct Store(BTreeMap<u16, Vec<u8>>);

impl Store {
    const MAX_VALUE: usize = 32;

    pub(super) fn save(&mut self, key: u16, value: &[u8]) -> ErrorCode {
        if !USER_KEYS.contains(&key) || value.len() > Self::MAX_VALUE {
            return ErrorCode::INVALID_PARAM;
        }
        self.0.insert(key, value.to_vec());
        ErrorCode::SUCCESS
    }

    pub(super) fn load(&self, key: u16) -> (ErrorCode, ByteArray<'_>) {
        match self.0.get(&key) {
            Some(value) => (ErrorCode::SUCCESS, bytes(value)),
            None => (ErrorCode::INVALID_PARAM, ByteArray::default()),
        }
    }

    pub(super) fn erase(&mut self, key: u16) {
        self.0.remove(&key);
    }

    pub(super) fn erase_all(&mut self) {
        self.0.clear();
    }

    pub(super) fn dump(&self, out: &mut Output) {
        for (&key, value) in &self.0 {
            out.send(&event::PsKey { key, value: bytes(value) });
        }
        out.send(&event::PsKey { key: u16::MAX, value: ByteArray::default() });
    }
}

fn bytes(value: &[u8]) -> ByteArray<'_> {
    ByteArray::new(value).unwrap_or_default() // at most MAX_VALUE
}
