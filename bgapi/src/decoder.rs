//! Finding frames in a stream of bytes, and finding them again after something went missing.

use crate::report;
use crate::table::Shapes;
use crate::wire::MAX_FRAME;
use crate::{Direction, Frame, HEADER_LEN, Header, Kind};

/// Finds the frames in bytes that come in pieces of any size.
///
/// A frame is believed only if class and id are in the table and its length is exactly right. Where
/// that cannot be, the decoder drops one byte and tries the next; a message of another firmware is
/// dropped as well, since it looks like any other garbage. Memory is bounded and nothing is
/// allocated: frames are borrowed from the input, or from a small buffer where pieces cut them.
///
/// ```
/// use bgapi::{Decoder, Item, gap};
/// let mut decoder = Decoder::host();
/// let mut heard = 0;
/// for piece in [&[0x80, 0x0b, 0x06, 0x00, 0xca, 0x00, 0x00][..], &[0x90, 0x29, 0x81, 0x25, 0xcb, 1, 0xff, 0]] {
///     let mut items = decoder.feed(piece);
///     while let Some(item) = items.next() {
///         if let Item::Frame(frame) = item {
///             heard += usize::from(frame.get::<gap::event::ScanResponse>().is_some());
///         }
///     }
/// }
/// assert_eq!(heard, 1);
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    direction: Direction,
    held: Held,
    in_step: bool,
    stats: Stats,
}

/// What a decoder has found in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// One whole frame.
    Frame(Frame<'a>),
    /// Bytes that belong to no frame. One garbled stretch may come in several parts.
    Discarded(&'a [u8]),
}

/// What a decoder has found since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whole frames.
    pub frames: u64,
    /// Bytes that belong to no frame.
    pub discarded_bytes: u64,
    /// How often the decoder fell out of step: stretches of discarded bytes.
    pub resyncs: u64,
}

impl Decoder {
    /// A decoder for the host's side of the port: for responses and events.
    pub const fn host() -> Self {
        Self::new(Direction::ToHost)
    }

    /// A decoder for the device's side of the port: for commands.
    pub const fn device() -> Self {
        Self::new(Direction::ToDevice)
    }

    /// A decoder for bytes that go this way.
    pub const fn new(direction: Direction) -> Self {
        let stats = Stats { frames: 0, discarded_bytes: 0, resyncs: 0 };
        Self { direction, held: Held { bytes: [0; MAX_FRAME], len: 0, given: 0 }, in_step: true, stats }
    }

    /// Takes the next piece of the stream. Ask the result for items until there are none, or the
    /// rest of the piece is lost.
    #[inline]
    pub fn feed<'d, 'i>(&'d mut self, piece: &'i [u8]) -> Items<'d, 'i> {
        Items { decoder: self, piece, at: 0, quiet: false }
    }

    /// Gives up the frame that is not complete, to be called when the line has been quiet too long.
    ///
    /// A dongle sends a frame in one go, so after some 100 ms the rest is not going to come. The
    /// bytes held are looked through once more, since there may be whole frames behind a false
    /// beginning; what remains is discarded.
    pub fn quiet(&mut self) -> Items<'_, 'static> {
        Items { decoder: self, piece: &[], at: 0, quiet: true }
    }

    /// How many bytes wait for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.held.len - self.held.given
    }

    /// What has been found so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    #[inline]
    fn count_frame(&mut self) {
        self.stats.frames += 1;
        self.in_step = true;
    }

    fn count_discarded(&mut self, bytes: usize) {
        self.stats.discarded_bytes += bytes as u64;
        self.stats.resyncs += u64::from(self.in_step);
        self.in_step = false;
    }
}

/// The beginning of a frame that pieces have cut.
#[derive(Clone, Debug)]
struct Held {
    bytes: [u8; MAX_FRAME],
    len: usize,
    /// How many of them the last item took; they stay until the next is asked for.
    given: usize,
}

impl Held {
    fn forget_given(&mut self) {
        self.bytes.copy_within(self.given..self.len, 0);
        self.len -= self.given;
        self.given = 0;
    }

    /// Takes bytes from the piece until there are `wanted`, as far as it has them.
    fn fill(&mut self, wanted: usize, piece: &[u8]) -> usize {
        let taken = piece.len().min(wanted - self.len);
        self.bytes[self.len..self.len + taken].copy_from_slice(&piece[..taken]);
        self.len += taken;
        taken
    }

    fn give(&mut self, count: usize) -> &[u8] {
        self.given = count;
        &self.bytes[..count]
    }
}

/// The items of one piece, to be drained with [`Items::next`].
///
/// Not an [`Iterator`], since an item may live in the decoder until the next one is asked for.
#[derive(Debug)]
#[must_use = "what is not asked for is lost"]
pub struct Items<'d, 'i> {
    decoder: &'d mut Decoder,
    piece: &'i [u8],
    at: usize,
    quiet: bool,
}

impl Items<'_, '_> {
    /// The next item, `None` when the piece is used up.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "items borrow from the decoder, which an Iterator cannot say")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        if self.decoder.held.len == 0 {
            let rest = &self.piece[self.at..];
            // Nearly all that a scanning dongle sends are scan reports.
            if let Some(len) = report::len_if_whole(rest)
                && self.decoder.direction == Direction::ToHost
            {
                self.at += len;
                self.decoder.count_frame();
                return Some(Item::Frame(Frame::believed(Kind::Event, &rest[..len])));
            }
            return self.next_in_piece();
        }
        self.next_across_pieces()
    }

    /// Looks at the piece alone: nothing is held.
    fn next_in_piece(&mut self) -> Option<Item<'_>> {
        let begin = self.at;
        loop {
            let rest = &self.piece[self.at..];
            let verdict = judge(self.decoder.direction, rest);
            if let Verdict::Impossible = verdict {
                self.at += 1;
                continue;
            }
            if self.at > begin {
                self.decoder.count_discarded(self.at - begin);
                return Some(Item::Discarded(&self.piece[begin..self.at]));
            }
            if let Verdict::Frame(kind, len) = verdict {
                self.at += len;
                self.decoder.count_frame();
                return Some(Item::Frame(Frame::believed(kind, &rest[..len])));
            }
            self.at += self.decoder.held.fill(rest.len(), rest);
            return None;
        }
    }

    /// Looks at the held bytes, with as many from the piece as it takes to judge them.
    fn next_across_pieces(&mut self) -> Option<Item<'_>> {
        self.decoder.held.forget_given();
        let mut skipped = 0;
        loop {
            let decoder = &mut *self.decoder;
            let held = &decoder.held.bytes[skipped..decoder.held.len];
            if held.is_empty() {
                break;
            }
            match judge(decoder.direction, held) {
                Verdict::Impossible => skipped += 1,
                Verdict::Needs(_) if self.quiet => skipped += 1,
                _ if skipped > 0 => break,
                Verdict::Frame(kind, len) => {
                    self.decoder.count_frame();
                    return Some(Item::Frame(Frame::believed(kind, self.decoder.held.give(len))));
                }
                Verdict::Needs(wanted) => {
                    let taken = decoder.held.fill(wanted, &self.piece[self.at..]);
                    self.at += taken;
                    if taken == 0 {
                        return None;
                    }
                }
            }
        }
        if skipped == 0 {
            return self.next_in_piece();
        }
        self.decoder.count_discarded(skipped);
        Some(Item::Discarded(self.decoder.held.give(skipped)))
    }
}

/// What the bytes of a stream begin with, as far as they are in.
enum Verdict {
    /// A frame of this kind and length.
    Frame(Kind, usize),
    /// Nothing that can be a frame, whatever follows.
    Impossible,
    /// Perhaps a frame; it takes this many bytes to say more.
    Needs(usize),
}

/// Judges the beginning of a stream as early as the bytes allow.
///
/// There is no checksum: everything the protocol repeats or forbids is looked at before a frame is
/// believed. Lengths stay below 256 on this hardware, so the first byte is `00` or `80`.
fn judge(direction: Direction, bytes: &[u8]) -> Verdict {
    let Some(&first) = bytes.first() else {
        return Verdict::Needs(HEADER_LEN);
    };
    if first & 0x7f != 0 {
        return Verdict::Impossible;
    }
    let Some(&header) = bytes.first_chunk() else {
        return Verdict::Needs(HEADER_LEN);
    };
    let header = Header::new(header);
    let Some(kind) = header.kind(direction) else {
        return Verdict::Impossible;
    };
    let Some(shape) = Shapes::of(kind).get(header.class, header.id) else {
        return Verdict::Impossible;
    };
    let total = HEADER_LEN + header.payload_len;
    if shape.array {
        let Some(array_len) = header.payload_len.checked_sub(shape.fixed) else {
            return Verdict::Impossible;
        };
        let fixed_end = HEADER_LEN + shape.fixed;
        let Some(fixed) = bytes.get(HEADER_LEN..fixed_end) else {
            return Verdict::Needs(fixed_end);
        };
        if usize::from(fixed[shape.fixed - 1]) != array_len {
            return Verdict::Impossible;
        }
        if report::is_impossible(bytes) {
            return Verdict::Impossible;
        }
    } else if header.payload_len != shape.fixed {
        return Verdict::Impossible;
    }
    if bytes.len() < total { Verdict::Needs(total) } else { Verdict::Frame(kind, total) }
}
