//! Real frames, recorded by others from BLE112, BLE113 and BLED112, must decode as their files say.

mod common;

use std::path::Path;

use bgapi::{Decoder, Direction, Frame, Item, Message, gap};
use common::shared;

/// A line of a fixture file, as its header explains.
enum Line {
    Frame(Direction, Vec<u8>),
    Damaged(Direction, Vec<u8>),
    Chunk(Vec<u8>),
    Text(String),
}

/// The bytes of hex digits with spaces between.
fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits")).collect()
}

fn lines(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).expect("a readable fixture");
    text.lines()
        .filter_map(|line| {
            let (mark, rest) = line.split_once(' ')?;
            let hex = rest.split('#').next().unwrap_or_default();
            match mark {
                "<" | "~<" => Some(Line::Frame(Direction::ToHost, bytes(hex))),
                ">" => Some(Line::Frame(Direction::ToDevice, bytes(hex))),
                "!<" => Some(Line::Damaged(Direction::ToHost, bytes(hex))),
                "!>" => Some(Line::Damaged(Direction::ToDevice, bytes(hex))),
                "+" => Some(Line::Chunk(bytes(hex))),
                "=" => Some(Line::Text(rest.to_owned())),
                _ => None,
            }
        })
        .collect()
}

/// All frames the decoder finds in the pieces, and how many bytes it discarded and still holds.
fn decode<'p>(direction: Direction, pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<Vec<u8>>, u64, usize) {
    let mut decoder = Decoder::new(direction);
    let mut frames = Vec::new();
    for piece in pieces {
        let mut items = decoder.feed(piece);
        while let Some(item) = items.next() {
            if let Item::Frame(frame) = item {
                frames.push(frame.as_bytes().to_vec());
            }
        }
    }
    (frames, decoder.stats().discarded_bytes, decoder.pending())
}

#[test]
fn recorded_frames_decode_as_their_files_say() {
    let Some(folder) = shared("fixtures/bgapi-dev") else {
        return;
    };
    let (mut texts, mut damages, mut streams) = (0, 0, 0);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "hex"));
    paths.sort();
    for path in paths {
        let name = path.display();
        let lines = lines(&path);
        for pair in lines.windows(2) {
            if let [Line::Frame(direction, frame), Line::Text(text)] = pair {
                let parsed = Frame::parse(*direction, frame).unwrap_or_else(|error| panic!("{name}: {text}: {error}"));
                assert_eq!(&parsed.to_string(), text, "{name}");
                assert_eq!(decode(*direction, [&frame[..]]), (vec![frame.clone()], 0, 0), "{name}: {text}");
                let message = (parsed.command().map(|message| message.encoded()))
                    .or(parsed.response().map(|message| message.encoded()))
                    .or(parsed.event().map(|message| message.encoded()));
                assert_eq!(message.flatten().as_deref(), Some(&frame[..]), "{name}: {text}");
                texts += 1;
            }
        }
        let frames = lines.iter().filter(|line| matches!(line, Line::Frame(..))).count();
        let described = lines.iter().filter(|line| matches!(line, Line::Text(_))).count();
        assert_eq!(frames, described, "{name}: every frame has its text");
        for line in &lines {
            if let Line::Damaged(direction, damaged) = line {
                let (frames, discarded, pending) = decode(*direction, [&damaged[..]]);
                assert!(Frame::parse(*direction, damaged).is_err(), "{name}: {damaged:02x?}");
                assert!(discarded > 0 || pending > 0, "{name}: {frames:02x?}");
                damages += 1;
            }
        }
        let chunks: Vec<&[u8]> = lines
            .iter()
            .filter_map(|line| if let Line::Chunk(chunk) = line { Some(&chunk[..]) } else { None })
            .collect();
        if !chunks.is_empty() {
            let listed: Vec<Vec<u8>> = lines
                .iter()
                .skip_while(|line| !matches!(line, Line::Chunk(_)))
                .skip_while(|line| matches!(line, Line::Chunk(_)))
                .map_while(|line| match line {
                    Line::Frame(_, frame) => Some(Some(frame.clone())),
                    Line::Text(_) => Some(None),
                    _ => None,
                })
                .flatten()
                .collect();
            let (frames, discarded, pending) = decode(Direction::ToHost, chunks.iter().copied());
            let whole: usize = frames.iter().map(Vec::len).sum();
            let fed: usize = chunks.iter().map(|chunk| chunk.len()).sum();
            assert_eq!(frames, listed, "{name}");
            assert_eq!(whole + discarded as usize + pending, fed, "{name}");
            streams += 1;
        }
    }
    println!("{texts} frames, {damages} damaged pieces, {streams} streams");
    assert!(texts >= 59 && damages >= 7 && streams >= 1, "some of the recordings were not read");
}

#[test]
fn a_stray_zero_before_the_boot_event_costs_one_byte() {
    // After a glitch of the reset line one zero can come first; with it the bytes read as the header
    // of a response with 128 bytes of payload.
    let boot = [0x80, 0x0c, 0, 0, 1, 0, 1, 0, 1, 0, 0x47, 0, 3, 0, 1, 1];
    let scan = gap::command::EndProcedure {}.encoded();
    assert_eq!(*scan, [0, 0, 6, 4]);
    for at in 0..=boot.len() {
        let stream = [&[0][..], &boot].concat();
        let (frames, discarded, pending) = decode(Direction::ToHost, [&stream[..at], &stream[at..]]);
        assert_eq!((frames, discarded, pending), (vec![boot.to_vec()], 1, 0), "cut at {at}");
    }
}
