//! Reads hex digits from standard input and prints the messages they are:
//! `echo 00 02 06 02 81 01 | cargo run -p bgapi --example scan_bytes`
//! A file of bytes from a dongle: `xxd -p capture.bin | cargo run -p bgapi --example scan_bytes`

use std::io;

use bgapi::{Decoder, Item};

fn main() -> io::Result<()> {
    let mut decoder = Decoder::host();
    for line in io::stdin().lines() {
        let digits: Vec<u8> =
            line?.bytes().filter_map(|digit| char::from(digit).to_digit(16).map(|digit| digit as u8)).collect();
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let mut items = decoder.feed(&bytes);
        while let Some(item) = items.next() {
            match item {
                Item::Frame(frame) => println!("{frame}"),
                Item::Discarded(bytes) => println!("??? {bytes:02x?}"),
            }
        }
    }
    println!("{:?}, {} bytes left over", decoder.stats(), decoder.pending());
    Ok(())
}
