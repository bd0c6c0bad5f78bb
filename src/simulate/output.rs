//! What the chip has to say and has not yet been able to.

use std::collections::VecDeque;

use bgapi::Message;

use super::random::Random;

/// The size of the dongle's USB packets, in bytes: how it cuts the stream.
///
/// Source: its endpoint descriptors (bulk, full speed).
pub const USB_PACKET: usize = 64;

/// The bytes on their way to the host, bounded by whoever asks [`Output::is_full`] first.
#[derive(Clone, Debug, Default)]
pub(super) struct Output(VecDeque<u8>);

impl Output {
    /// When no more reports fit, in bytes. The chip has 8 KB of memory for everything.
    const FULL: usize = 1024;

    pub(super) fn send<'a>(&mut self, message: &impl Message<'a>) {
        self.send_frame(&message.encoded());
    }

    pub(super) fn send_frame(&mut self, frame: &[u8]) {
        self.0.extend(frame);
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= Self::FULL
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next USB packet; frames cross packets wherever it happens.
    pub(super) fn take_packet(&mut self) -> Vec<u8> {
        let len = self.0.len().min(USB_PACKET);
        self.0.drain(..len).collect()
    }
}

/// Damages a packet: each byte with this probability is replaced, lost or doubled.
pub(super) fn garble(packet: &[u8], share: f64, random: &mut Random) -> Vec<u8> {
    let mut damaged = Vec::with_capacity(packet.len());
    for &byte in packet {
        match random.chance(share).then(|| random.below(3)) {
            None => damaged.push(byte),
            Some(0) => damaged.push(random.bits() as u8),
            Some(1) => {}
            Some(_) => damaged.extend([byte, byte]),
        }
    }
    damaged
}
