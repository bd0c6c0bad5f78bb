//! The tracked bands by address, bounded: when it is full, the unlisted band unheard for longest makes room.

use foldhash::fast::RandomState;
use hashlink::LruCache;

use super::band::Record;
use super::constants::MAX_UNLISTED;

/// Bands by [`bgapi::Address::key`], from the longest unheard to the newest heard.
pub(super) struct Table {
    records: LruCache<u64, Record, RandomState>,
    unlisted: usize,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("len", &self.records.len()).field("unlisted", &self.unlisted).finish()
    }
}

impl Table {
    pub(super) fn new() -> Self {
        Self { records: LruCache::with_hasher(usize::MAX, RandomState::default()), unlisted: 0 }
    }

    /// A band that is heard just now.
    pub(super) fn hear(&mut self, key: u64) -> Option<&mut Record> {
        self.records.get_mut(&key)
    }

    /// A band, without its being heard.
    pub(super) fn find(&self, key: u64) -> Option<&Record> {
        self.records.peek(&key)
    }

    /// A band to be changed, without its being heard.
    pub(super) fn find_mut(&mut self, key: u64) -> Option<&mut Record> {
        self.records.peek_mut(&key)
    }

    /// Every band, the longest unheard first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.records.iter().map(|(&key, record)| (key, record))
    }

    /// Every band to be changed, the longest unheard first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Record)> {
        self.records.iter_mut().map(|(&key, record)| (key, record))
    }

    /// The band that must go before another unlisted one comes in, if there is no room: one that only passed, else any.
    pub(super) fn overdue(&self) -> Option<u64> {
        if self.unlisted < MAX_UNLISTED {
            return None;
        }
        let mut unlisted = self.iter().filter(|(_, record)| record.listing.is_none());
        let oldest = unlisted.next()?;
        let passed = std::iter::once(oldest).chain(unlisted).find(|(_, record)| !record.is_present());
        Some(passed.unwrap_or(oldest).0)
    }

    /// Puts a band in as the newest heard.
    pub(super) fn insert(&mut self, key: u64, record: Record) -> &mut Record {
        self.unlisted += usize::from(record.listing.is_none());
        self.records.entry(key).or_insert(record)
    }

    /// Takes a band out.
    pub(super) fn remove(&mut self, key: u64) -> Option<Record> {
        let record = self.records.remove(&key)?;
        self.unlisted -= usize::from(record.listing.is_none());
        Some(record)
    }

    /// Counts again after listings were changed.
    pub(super) fn recount(&mut self) {
        self.unlisted = self.iter().filter(|(_, record)| record.listing.is_none()).count();
    }
}
