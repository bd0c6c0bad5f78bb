//! `nbe decode`: BGAPI bytes as text, a line per frame.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bgapi::{Decoder, Direction, Frame, Item, Kind, Value};
use clap::Args;
use serde_json::{Map, json};

use super::hex::HexLines;
use super::{input, output};
use crate::failure::{Failure, exit};
use crate::replay::Tally;

/// Print BGAPI bytes as text, one line a frame.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nbe decode dongle.bin                  bytes read from a dongle
  nbe decode --hex notes.hex             lines of hex; `#` begins a comment, `<` a line from the dongle, `>` one to it
  nbe decode --count dongle.bin          only how much of everything
  cat /dev/ttyACM0 | nbe decode -        live, if nothing else holds the port")]
pub struct DecodeArgs {
    /// Bytes from a dongle; `-` is standard input
    file: PathBuf,
    /// Read lines of hex instead of bytes
    #[arg(long)]
    hex: bool,
    /// Print one JSON object per frame
    #[arg(long)]
    json: bool,
    /// Print only `frames=N devices=N rssi_sum=N data_bytes=N` and what was discarded
    #[arg(long, conflicts_with = "json")]
    count: bool,
}

/// How much is read at a time.
const PIECE: usize = 64 * 1024;

/// The most lines that are no hex which are told one by one.
const MISTAKES_TOLD: u64 = 5;

/// The most discarded bytes that a line of text shows; `--json` holds them all.
const DISCARDED_SHOWN: usize = 32;

#[derive(Debug, thiserror::Error)]
#[error("cannot go on")]
struct Broken(#[source] std::io::Error);

/// Runs `nbe decode`.
///
/// # Errors
/// If the input cannot be read.
pub fn run(args: &DecodeArgs) -> Result<ExitCode, Failure> {
    let input = BufReader::with_capacity(PIECE, input::open(&args.file)?);
    let out = BufWriter::new(std::io::stdout().lock());
    let done = if args.count { count(args, input, out) } else { print(args, input, out) };
    let code = done.map(|fine| if fine { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) });
    Ok(output::unless_unread(code).map_err(Broken)?)
}

/// Hands on each piece with its direction; false if a line was not hex.
fn each_piece(
    args: &DecodeArgs,
    mut input: impl BufRead,
    mut take: impl FnMut(Direction, &[u8]) -> std::io::Result<()>,
) -> std::io::Result<bool> {
    if !args.hex {
        let mut piece = vec![0; PIECE];
        loop {
            match input.read(&mut piece)? {
                0 => return Ok(true),
                read => take(Direction::ToHost, &piece[..read])?,
            }
        }
    }
    let mut mistakes: u64 = 0;
    let mut lines = HexLines::new(input);
    while let Some(line) = lines.next()? {
        match line {
            Ok((direction, bytes)) => take(direction, &bytes)?,
            Err(mistake) => {
                mistakes += 1;
                if mistakes <= MISTAKES_TOLD {
                    eprintln!("{}: {mistake}", args.file.display());
                }
            }
        }
    }
    if mistakes > MISTAKES_TOLD {
        eprintln!("{}: {mistakes} lines in all are not hex", args.file.display());
    }
    Ok(mistakes == 0)
}

fn count(args: &DecodeArgs, input: impl BufRead, mut out: impl Write) -> std::io::Result<bool> {
    let mut tally = Tally::default();
    let fine = each_piece(args, input, |direction, piece| {
        if direction == Direction::ToHost {
            tally.feed(piece);
        }
        Ok(())
    })?;
    writeln!(out, "{}", tally.totals())?;
    out.flush()?;
    Ok(fine)
}

fn print(args: &DecodeArgs, input: impl BufRead, mut out: impl Write) -> std::io::Result<bool> {
    let mut decoders = [Decoder::host(), Decoder::device()];
    let mut discarded = Vec::new();
    let mut is_text = !args.hex;
    let fine = each_piece(args, input, |direction, piece| {
        is_text &= looks_like_text(piece);
        let decoder = &mut decoders[usize::from(direction == Direction::ToDevice)];
        let mut items = decoder.feed(piece);
        while let Some(item) = items.next() {
            match item {
                Item::Discarded(bytes) => discarded.extend_from_slice(bytes),
                Item::Frame(frame) => {
                    print_discarded(args, &mut out, &mut discarded)?;
                    print_frame(args, &mut out, frame)?;
                }
            }
            // A stream of nothing but garbage must not pile up.
            if discarded.len() > PIECE {
                print_discarded(args, &mut out, &mut discarded)?;
            }
        }
        // What arrives live is shown at once.
        out.flush()
    })?;
    print_discarded(args, &mut out, &mut discarded)?;
    for decoder in &decoders {
        match (decoder.pending(), args.json) {
            (0, _) => {}
            (cut, true) => writeln!(out, "{}", json!({ "kind": "cut", "bytes": cut }))?,
            (cut, false) => writeln!(out, "cut {cut} bytes of an unfinished frame")?,
        }
    }
    out.flush()?;
    let [host, device] = decoders.map(|decoder| decoder.stats());
    let is_capture = host.frames + device.frames > 0 || host.discarded_bytes == 0;
    if is_text && !is_capture {
        eprintln!("{}: this is text, not bytes of a dongle\n  try: --hex, if it holds hex", args.file.display());
    }
    Ok(fine && (is_capture || !is_text))
}

fn looks_like_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}

fn print_discarded(args: &DecodeArgs, mut out: impl Write, discarded: &mut Vec<u8>) -> std::io::Result<()> {
    if !discarded.is_empty() {
        let shown = if args.json { discarded.len() } else { discarded.len().min(DISCARDED_SHOWN) };
        let bytes = Value::Bytes(&discarded[..shown]).to_string();
        if args.json {
            writeln!(out, "{}", json!({ "kind": "discarded", "bytes": discarded.len(), "data": bytes }))?;
        } else {
            let more = if shown < discarded.len() { "…" } else { "" };
            writeln!(out, "discarded {} bytes: {bytes}{more}", discarded.len())?;
        }
        discarded.clear();
    }
    Ok(())
}

fn print_frame(args: &DecodeArgs, mut out: impl Write, frame: Frame<'_>) -> std::io::Result<()> {
    if !args.json {
        return writeln!(out, "{frame}");
    }
    let mut fields = Map::new();
    let mut visit = |name: &'static str, value: Value<'_>| {
        let value = match value {
            Value::Unsigned(number) => json!(number),
            Value::Signed(number) => json!(number),
            Value::Code(code, _) => json!(code),
            Value::Error(code) => json!(code.0),
            Value::Address(address) => json!(address.to_string()),
            Value::Bytes(bytes) => json!(hex(bytes)),
        };
        fields.insert(name.to_owned(), value);
    };
    let (kind, name) = match frame.kind() {
        Kind::Command => ("cmd", frame.command().map(|command| (command.fields(&mut visit), command.name()).1)),
        Kind::Response => ("rsp", frame.response().map(|response| (response.fields(&mut visit), response.name()).1)),
        Kind::Event => ("evt", frame.event().map(|event| (event.fields(&mut visit), event.name()).1)),
    };
    writeln!(out, "{}", json!({ "kind": kind, "name": name, "fields": fields }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
