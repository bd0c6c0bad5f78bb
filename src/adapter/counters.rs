//! What a session counts.

/// What a session has counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes read.
    pub bytes: u64,
    /// Whole frames.
    pub frames: u64,
    /// Bytes that belong to no frame.
    pub discarded_bytes: u64,
    /// Stretches of such bytes.
    pub resyncs: u64,
    /// Scan reports.
    pub reports: u64,
    /// Scan reports without content.
    pub empty_reports: u64,
    /// Ports opened.
    pub opens: u64,
    /// Ports lost.
    pub losses: u64,
    /// Resets sent.
    pub resets: u64,
    /// Restarts of the dongle that nobody asked for.
    pub boots: u64,
    /// Bytes the dongle threw away, by the number of its complaints.
    pub protocol_errors: u64,
}

impl Counters {
    /// All of them by name.
    pub fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("bytes", self.bytes),
            ("frames", self.frames),
            ("discarded_bytes", self.discarded_bytes),
            ("resyncs", self.resyncs),
            ("reports", self.reports),
            ("empty_reports", self.empty_reports),
            ("opens", self.opens),
            ("losses", self.losses),
            ("resets", self.resets),
            ("boots", self.boots),
            ("protocol_errors", self.protocol_errors),
        ]
    }

    pub(super) fn add(&mut self, stats: bgapi::Stats) {
        self.frames += stats.frames;
        self.discarded_bytes += stats.discarded_bytes;
        self.resyncs += stats.resyncs;
    }
}
