//! What one advert costs on its way: found in the stream, matched, decided on.
//!
//! The yardstick is walking over the same bytes from header to header and adding up the levels, which no program that
//! reads every report can undercut. Quote ratios to it, from one run; times depend on the machine and its other work.

use std::hint::black_box;
use std::time::Duration;

use bgapi::gap::event::ScanResponse;
use bgapi::{AddressType, BdAddr, ByteArray, Decoder, HEADER_LEN, Item, Message, PacketType};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nbe::event::AdapterId;
use nbe::proximity::{Engine, Level, Matcher, Settings};
use nbe::time::Time;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Reports in a stream.
const REPORTS: u64 = 100_000;

/// A stream of an office: adverts of `devices` advertisers, one in ten of them a band, walking up and down in level.
fn office(devices: u64) -> Vec<u8> {
    let band: &[u8] = b"\x02\x01\x06\x07\xff\xb2\x01\0\0\0\0";
    let other: &[u8] = b"\x02\x01\x1a\x0a\xff\x4c\0\x10\x05\0\0\0\0\0";
    let mut random = Xoshiro256PlusPlus::seed_from_u64(112);
    let mut levels: Vec<i8> = (0..devices).map(|_| -45 - (random.next_u32() % 50) as i8).collect();
    let mut stream = Vec::new();
    for _ in 0..REPORTS {
        let device = random.next_u64() % devices;
        let level = &mut levels[device as usize];
        *level = (*level + (random.next_u32() % 3) as i8 - 1).clamp(-103, -38);
        let bytes = device.to_le_bytes();
        let report = ScanResponse {
            rssi: *level,
            packet_type: PacketType::ADV_IND,
            sender: BdAddr([bytes[0], bytes[1], bytes[2], 1, 2, 0xc0]),
            address_type: AddressType::RANDOM,
            bond: 0xff,
            data: ByteArray::new(if device.is_multiple_of(10) { band } else { other }).unwrap_or_default(),
        };
        stream.extend_from_slice(&report.encoded());
    }
    stream
}

fn settings(all: bool, window_long: usize) -> Settings {
    Settings {
        window_long,
        tap_threshold: Some(Level::from_dbm(-42)),
        matcher: Matcher { all, company_ids: vec![434], ..Matcher::default() },
        ..Settings::from(&config::Config::default())
    }
}

/// The floor: what the bytes themselves cost.
fn walk(stream: &[u8]) -> i64 {
    let (mut at, mut sum) = (0, 0);
    while at + HEADER_LEN < stream.len() {
        sum += i64::from(stream[at + HEADER_LEN] as i8);
        at += HEADER_LEN + usize::from(stream[at + 1]);
    }
    sum
}

fn decode(stream: &[u8], mut take: impl FnMut(&ScanResponse<'_>)) {
    let mut decoder = Decoder::host();
    for piece in stream.chunks(64 * 1024) {
        let mut items = decoder.feed(piece);
        while let Some(item) = items.next() {
            if let Item::Frame(frame) = item
                && let Some(report) = frame.get::<ScanResponse<'_>>()
            {
                take(&report);
            }
        }
    }
}

/// Decides on a whole stream, as if 1000 reports came each second.
fn decide(engine: &mut Engine, stream: &[u8]) -> usize {
    let (mut n, mut decisions) = (0, 0);
    decode(stream, |report| {
        engine.handle_report(Time::from_millis(n), AdapterId(0), report);
        n += 1;
        while engine.poll_decision().is_some() {
            decisions += 1;
        }
    });
    decisions
}

fn benches(criterion: &mut Criterion) {
    let stream = office(200);
    let mut group = criterion.benchmark_group("advert");
    group.throughput(Throughput::Elements(REPORTS));
    group.bench_function("walk (the floor)", |bench| bench.iter(|| walk(black_box(&stream))));
    group.bench_function("decode", |bench| {
        bench.iter(|| {
            let mut sum = 0;
            decode(black_box(&stream), |report| sum += i64::from(report.rssi));
            sum
        });
    });
    for (name, all, window) in [
        ("decide, one in ten a band", false, 50),
        ("decide, every one a band", true, 50),
        ("decide, a long window of 10", true, 10),
        ("decide, a long window of 200", true, 200),
    ] {
        group.bench_function(name, |bench| {
            bench.iter_batched_ref(
                || Engine::new(settings(all, window)),
                |engine| decide(engine, black_box(&stream)),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("devices");
    group.throughput(Throughput::Elements(REPORTS));
    for devices in [10, 1_000, 100_000] {
        let stream = office(devices);
        group.bench_function(format!("{devices}"), |bench| {
            bench.iter_batched_ref(
                || Engine::new(settings(true, 50)),
                |engine| decide(engine, black_box(&stream)),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = benches
}
criterion_main!(all);
