//! The model against the field's notes: what a host sends, and what it gets to see.

mod host;

use std::path::Path;
use std::time::Duration;

use bgapi::gap::command::{Discover, EndProcedure, SetFiltering, SetScanParameters};
use bgapi::{
    AddressType, AdvertisingPolicy, BdAddr, ByteArray, Command, DiscoverMode, Message, PacketType, ScanPolicy,
    connection, flash, hardware, system,
};
use proptest::prelude::*;

use self::host::{HELLO, Host, OBSERVE, Report};
use super::*;
use crate::time::Time;

fn quiet() -> Scenario {
    Scenario { bands: Vec::new(), neighbours: Vec::new(), ..Scenario::default() }
}

/// One band without fading and loss.
fn one_band() -> Scenario {
    let mut scenario = Scenario { neighbours: Vec::new(), ..Scenario::default() };
    scenario.bands[0].loss = 0.0;
    scenario.bands[0].loudness = Loudness { place_sd: 0.0, time_sd: 0.0, ..Loudness::default() };
    scenario
}

fn filtering(scan_policy: ScanPolicy, duplicates: u8) -> SetFiltering {
    SetFiltering { scan_policy, adv_policy: AdvertisingPolicy::ALL, scan_duplicate_filtering: duplicates }
}

#[test]
fn answers_are_those_of_the_manual() {
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("hello", &[0, 0, 0, 1], &["rsp system_hello"]),
        ("address", &[0, 0, 0, 2], &["rsp system_address_get address=00:07:80:4B:2C:11"]),
        (
            "versions",
            &[0, 0, 0, 8],
            &["rsp system_get_info major=1 minor=5 patch=0 build=137 ll_version=3 protocol_version=1 hw=3"],
        ),
        ("nothing runs", &[0, 0, 6, 4], &["rsp gap_end_procedure result=0x0181"]),
        ("window above interval", &[0, 5, 6, 7, 0x10, 0, 0x11, 0, 0], &["rsp gap_set_scan_parameters result=0x0180"]),
        ("interval too short", &[0, 5, 6, 7, 3, 0, 3, 0, 0], &["rsp gap_set_scan_parameters result=0x0180"]),
        ("interval too long", &[0, 5, 6, 7, 1, 0x40, 4, 0, 0], &["rsp gap_set_scan_parameters result=0x0180"]),
        ("no such discovery", &[0, 1, 6, 2, 3], &["rsp gap_discover result=0x0180"]),
        ("no link there", &[0, 1, 3, 0, 0], &["rsp connection_disconnect connection=0 result=0x0186"]),
        ("level of no link", &[0, 1, 3, 1, 2], &["rsp connection_get_rssi connection=2 rssi=0"]),
        ("level of no handle", &[0, 1, 3, 1, 3], &["rsp connection_get_rssi connection=3 rssi=127"]),
        ("no peer to ask", &[0, 3, 4, 4, 1, 9, 0], &["rsp attclient_read_by_handle connection=1 result=0x0186"]),
        ("advertising stops", &[0, 2, 6, 1, 0, 0], &["rsp gap_set_mode result=0x0000"]),
        ("older firmware", &[0, 0, 0, 18], &["rsp system_usb_enumeration_status_get result=0x0184 status=0"]),
        ("no such class", &[0, 0, 0x20, 0], &["evt system_protocol_error reason=0x0184"]),
        ("wrong length", &[0, 1, 0, 1, 0], &["evt system_protocol_error reason=0x0184"]),
        ("an event", &[0x80, 0, 0, 1], &["evt system_protocol_error reason=0x0184"]),
        ("another chip's", &[0x20, 0, 0, 1], &["evt system_protocol_error reason=0x0184"]),
    ];
    let mut host = Host::new(&quiet());
    for (case, command, answers) in cases {
        host.write(command);
        assert_eq!(host.wait(10), *answers, "{case}");
    }
}

#[test]
fn every_command_of_the_table_is_answered_by_its_response() {
    for definition in Command::DEFINITIONS.iter().flat_map(|class| class.iter()) {
        let mut host = Host::new(&quiet());
        let len: usize = definition.fields.iter().map(|(_, wire)| wire.fixed_len()).sum();
        let mut command = vec![0, len as u8, definition.class, definition.id];
        command.resize(4 + len, 0);
        host.write(&command);
        let said = host.wait(10);
        let name = definition.name;
        match name {
            "system_reset" => assert!(!host.simulation.is_on_bus()),
            // Nothing to answer with on a firmware that does not know them.
            "system_delay_reset" | "system_get_bootloader_crc" | "hardware_get_timestamp" | "dfu_reset" => {
                assert_eq!(said, ["evt system_protocol_error reason=0x0184"], "{name}");
            }
            _ => {
                let answer = &said[0];
                let is_own = answer.strip_prefix("rsp ").is_some_and(|rest| rest.split(' ').next() == Some(name));
                assert!(is_own, "{name}: {said:?}");
            }
        }
    }
}

#[test]
fn links_left_by_a_dead_program_can_be_found_and_closed() {
    let mut scenario = quiet();
    scenario.dongle = Dongle { links: 1, scanning: true, ..Dongle::default() };
    let mut host = Host::new(&scenario);
    assert_eq!(host.ask(&OBSERVE), ["rsp gap_discover result=0x0181"]);
    assert_eq!(host.ask(&EndProcedure {}), ["rsp gap_end_procedure result=0x0000"]);
    let said = host.ask(&system::command::GetConnections {});
    assert_eq!(said[0], "rsp system_get_connections maxconn=3");
    let flags: Vec<_> = said[1..].iter().map(|event| event.split(' ').nth(3).unwrap()).collect();
    assert_eq!(flags, ["flags=1", "flags=0", "flags=0"]);
    let disconnect = connection::command::Disconnect { connection: 0 };
    assert_eq!(host.ask(&disconnect), ["rsp connection_disconnect connection=0 result=0x0000"]);
    assert_eq!(host.ask(&disconnect), ["rsp connection_disconnect connection=0 result=0x0186"]);
    assert_eq!(host.wait(500), ["evt connection_disconnected connection=0 reason=0x0216"]);
    assert_eq!(host.ask(&disconnect), ["rsp connection_disconnect connection=0 result=0x0186"]);
}

#[test]
fn a_scan_cannot_be_changed_while_it_runs() {
    let mut host = Host::new(&quiet());
    host.scan(64, 64, 0);
    let parameters = SetScanParameters { scan_interval: 64, scan_window: 64, active: 0 };
    assert_eq!(host.ask(&OBSERVE), ["rsp gap_discover result=0x0181"]);
    assert_eq!(host.ask(&parameters), ["rsp gap_set_scan_parameters result=0x0181"]);
    let peer = system::command::WhitelistAppend { address: BdAddr::default(), address_type: AddressType::PUBLIC };
    assert_eq!(host.ask(&peer), ["rsp system_whitelist_append result=0x0181"]);
    assert_eq!(host.ask(&EndProcedure {}), ["rsp gap_end_procedure result=0x0000"]);
    assert_eq!(host.ask(&peer), ["rsp system_whitelist_append result=0x0000"]);
}

#[test]
fn a_connection_is_never_established_and_can_be_given_up() {
    let mut host = Host::new(&one_band());
    let address = Scenario::default().bands[0].address;
    let connect = bgapi::gap::command::ConnectDirect {
        address: address.bytes,
        addr_type: address.address_type,
        conn_interval_min: 60,
        conn_interval_max: 76,
        timeout: 100,
        latency: 0,
    };
    assert_eq!(host.ask(&connect), ["rsp gap_connect_direct result=0x0000 connection_handle=0"]);
    assert_eq!(host.wait(60_000), [""; 0]);
    assert_eq!(host.ask(&OBSERVE), ["rsp gap_discover result=0x0181"]);
    assert_eq!(host.ask(&EndProcedure {}), ["rsp gap_end_procedure result=0x0000"]);
    assert_eq!(host.ask(&EndProcedure {}), ["rsp gap_end_procedure result=0x0181"]);
}

#[test]
fn the_receiver_hears_as_much_as_its_window_allows() {
    for (window, least, most) in [(75, 590, 605), (50, 370, 430), (8, 45, 85)] {
        let mut host = Host::new(&one_band());
        host.scan(75, window, 0);
        // 10 adverts a second, or a little less: up to 10 ms are added to each 100.
        let heard = host.hear(63_000).len();
        assert!((least..most).contains(&heard), "{window} of 75: heard {heard}");
    }
}

#[test]
fn only_an_active_scan_gets_scan_responses_and_they_may_be_empty() {
    let mut host = Host::new(&one_band());
    host.scan(64, 64, 0);
    assert!(host.hear(5_000).iter().all(|report| report.packet_type == PacketType::ADV_IND));

    let mut host = Host::new(&one_band());
    host.scan(64, 64, 1);
    let (adverts, responses): (Vec<_>, Vec<_>) =
        host.hear(5_000).into_iter().partition(|report| report.packet_type == PacketType::ADV_IND);
    assert_eq!(adverts.len(), responses.len());
    assert!(responses.iter().all(|report| report.packet_type == PacketType::SCAN_RSP && report.data.is_empty()));

    let mut scenario = one_band();
    scenario.bands[0].advert.packet_type = PacketType::ADV_NONCONN_IND;
    let mut host = Host::new(&scenario);
    host.scan(64, 64, 1);
    assert!(host.hear(5_000).iter().all(|report| report.packet_type == PacketType::ADV_NONCONN_IND));
}

#[test]
fn filters_hold_back_what_they_are_told_to() {
    let scenario = Scenario::default();
    let mut host = Host::new(&scenario);
    host.ask(&filtering(ScanPolicy::ALL, 1));
    host.scan(64, 64, 0);
    assert_eq!(host.hear(10_000).len(), 6, "each advertiser once");

    let mut host = Host::new(&scenario);
    let band = scenario.bands[0].address;
    let append = system::command::WhitelistAppend { address: band.bytes, address_type: band.address_type };
    host.ask(&append);
    host.ask(&filtering(ScanPolicy::WHITELIST, 0));
    host.scan(64, 64, 0);
    let heard = host.hear(10_000);
    assert!(!heard.is_empty() && heard.iter().all(|report| report.sender == band));

    let mut host = Host::new(&scenario);
    assert_eq!(host.ask(&Discover { mode: DiscoverMode::LIMITED }), ["rsp gap_discover result=0x0000"]);
    assert_eq!(host.hear(5_000), [], "nobody is limited discoverable");
    host.ask(&EndProcedure {});
    host.ask(&Discover { mode: DiscoverMode::GENERIC });
    let heard = host.hear(5_000);
    assert!(heard.iter().any(|report| report.sender == band));
    assert!(heard.iter().all(|report| report.data.starts_with(&[2, 1])), "the flagless are not reported");
}

#[test]
fn half_a_command_is_dropped_after_a_second_and_said() {
    let mut host = Host::new(&quiet());
    host.write(&[0, 5, 6]);
    assert_eq!(host.wait(900), [""; 0]);
    assert_eq!(host.wait(200), ["evt system_protocol_error reason=0x0185"]);
    assert_eq!(host.ask(&HELLO), ["rsp system_hello"]);
    host.write(b"AT\r\n");
    assert_eq!(host.ask(&HELLO), ["evt system_protocol_error reason=0x018a"], "a modem manager was here");
    assert_eq!(host.wait(1_100), ["evt system_protocol_error reason=0x0185"]);
    assert_eq!(host.ask(&HELLO), ["rsp system_hello"]);
}

#[test]
fn a_reset_takes_the_dongle_off_the_bus_and_back_with_a_boot_event() {
    let mut host = Host::new(&one_band());
    let save = flash::command::PsSave { key: 0x8001, value: ByteArray::from(b"kept") };
    assert_eq!(host.ask(&save), ["rsp flash_ps_save result=0x0000"]);
    host.scan(64, 64, 0);
    assert_eq!(host.ask(&system::command::Reset { boot_in_dfu: 0 }), [""; 0]);
    assert!(!host.simulation.is_on_bus());
    assert_eq!(host.hear(400), []);
    let said = host.wait(1_200);
    assert!(said.len() == 1 && said[0].starts_with("evt system_boot"), "{said:?}");
    assert_eq!(host.ask(&EndProcedure {}), ["rsp gap_end_procedure result=0x0181"], "the scan is over");
    let load = flash::command::PsLoad { key: 0x8001 };
    assert_eq!(host.ask(&load), ["rsp flash_ps_load result=0x0000 value=6b657074"]);

    host.ask(&system::command::Reset { boot_in_dfu: 1 });
    assert_eq!(host.wait(1_600), ["evt dfu_boot version=0"]);
    assert_eq!(host.ask(&HELLO), [""; 0], "the bootloader speaks nothing but its own class");
    host.write(&[0, 1, 9, 0, 0]);
    assert!(host.wait(1_600)[0].starts_with("evt system_boot"));
}

#[test]
fn a_soft_timer_fires_again_and_again() {
    let mut host = Host::new(&quiet());
    let every_second = hardware::command::SetSoftTimer { time: 32_768, handle: 3, single_shot: 0 };
    assert_eq!(host.ask(&every_second), ["rsp hardware_set_soft_timer result=0x0000"]);
    assert_eq!(host.wait(3_000), ["evt hardware_soft_timer handle=3"; 3]);
    host.ask(&hardware::command::SetSoftTimer { time: 0, ..every_second });
    assert_eq!(host.wait(3_000), [""; 0]);
    host.ask(&hardware::command::SetSoftTimer { single_shot: 1, ..every_second });
    assert_eq!(host.wait(3_000), ["evt hardware_soft_timer handle=3"]);
}

#[test]
fn in_a_crowd_the_answer_comes_late_and_comes() {
    let mut scenario = quiet();
    scenario.floods.push(Flood { from: Time::ZERO, to: Time::from_secs(100), per_second: 3_000 });
    let mut host = Host::new(&scenario);
    host.scan(64, 64, 0);
    host.wait(1_000);
    host.write(&EndProcedure {}.encoded());
    assert_eq!(host.wait(500), [""; 0], "reports are served first");
    assert_eq!(host.wait(5_000), ["rsp gap_end_procedure result=0x0000"]);
}

#[test]
fn what_nobody_reads_does_not_pile_up() {
    let mut simulation = Simulation::new(&Scenario::default(), 1);
    for command in [&OBSERVE.encoded()[..], &HELLO.encoded()] {
        simulation.handle_bytes(Time::ZERO, command);
    }
    for second in 1..600 {
        simulation.handle_timeout(Time::from_secs(second));
    }
    let mut waiting = 0;
    loop {
        match simulation.poll_packet(Time::from_secs(600)).len() {
            0 => break,
            len => waiting += len,
        }
    }
    assert!((900..1_200).contains(&waiting), "{waiting} bytes");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let mut host = Host::with_seed(&Scenario::default(), seed);
        host.scan(64, 64, 1);
        host.hear(60_000)
    };
    let first = run(7);
    assert!(first.len() > 500);
    assert_eq!(first, run(7));
    assert_ne!(first, run(8));
}

#[test]
fn faults_are_seen_by_the_host_as_in_the_field() {
    let fault = |kind, millis| Steer::Fault(Fault { kind, lasts: Duration::from_millis(millis) });
    let mut host = Host::new(&Scenario::default());
    host.scan(64, 64, 0);

    host.simulation.steer(host.now, &fault(FaultKind::Stall, 3_000));
    host.write(&HELLO.encoded());
    host.reports.clear();
    assert_eq!((host.wait(2_900), host.reports.len()), (vec![], 0));
    assert_eq!(host.wait(200), ["rsp system_hello"]);

    host.simulation.steer(host.now, &fault(FaultKind::Deaf, 3_000));
    assert_eq!(host.hear(2_900), []);
    assert_eq!(host.ask(&HELLO), ["rsp system_hello"]);
    host.wait(200);
    assert!(!host.hear(1_000).is_empty());

    host.simulation.steer(host.now, &fault(FaultKind::Empty, 3_000));
    let heard = host.hear(2_900);
    assert!(!heard.is_empty() && heard.iter().all(|report| report.data.is_empty()));
    host.wait(200);

    host.simulation.steer(host.now, &fault(FaultKind::Late { by: Duration::from_secs(9) }, 1_000));
    host.write(&HELLO.encoded());
    assert_eq!(host.wait(8_000), [""; 0]);
    assert!(host.hear(900).len() > 10, "adverts come in time");
    assert_eq!(host.wait(200), ["rsp system_hello"]);

    host.simulation.steer(host.now, &fault(FaultKind::Garble { share: 0.02 }, 5_000));
    let said = host.wait(5_000);
    assert!(said.iter().filter(|line| line.starts_with("discarded")).count() > 10, "{said:?}");
    host.wait(1_000);
    assert!(host.hear(1_000).len() > 10, "back in step");

    host.simulation.steer(host.now, &fault(FaultKind::Boot, 0));
    assert!(host.simulation.is_on_bus());
    assert!(host.wait(10).last().unwrap().starts_with("evt system_boot"));
    assert_eq!(host.hear(1_000), [], "the scan is over");

    host.simulation.steer(host.now, &fault(FaultKind::Vanish { link: None }, 2_000));
    assert!(!host.simulation.is_on_bus());
    host.write(&HELLO.encoded());
    assert_eq!(host.wait(1_900), [""; 0]);
    assert!(host.wait(200)[0].starts_with("evt system_boot"));
}

#[test]
fn faults_come_in_order_of_time() {
    let mut scenario = quiet();
    let boot = Fault { kind: FaultKind::Boot, lasts: Duration::ZERO };
    scenario.faults = vec![(Time::from_secs(9), boot.clone()), (Time::from_secs(3), boot)];
    let mut host = Host::new(&scenario);
    assert_eq!((host.wait(4_000).len(), host.wait(4_000).len(), host.wait(2_000).len()), (1, 0, 1));
}

#[test]
fn what_waits_for_the_end_of_a_fault_goes_on_by_itself() {
    let mut host = Host::new(&quiet());
    let stall = Fault { kind: FaultKind::Stall, lasts: Duration::from_secs(3) };
    host.simulation.steer(host.now, &Steer::Fault(stall));
    assert!(!host.simulation.wants_bytes(host.now));
    let end = host.now + Duration::from_secs(3);
    assert_eq!(host.simulation.poll_timeout(), Some(end), "nothing else would wake the port");
    host.wait(3_000);
    assert!(host.simulation.wants_bytes(host.now));
    assert_eq!(host.simulation.poll_timeout(), None);
}

#[test]
fn a_band_on_the_antenna_saturates_it_and_one_that_walks_away_fades() {
    let mut scenario = Scenario { neighbours: Vec::new(), ..Scenario::default() };
    let walk = [(0, 0.02), (5, 0.02), (10, 6.0), (20, 6.0)];
    scenario.bands[0].distance =
        Track::new(walk.map(|(second, metres)| (Time::from_secs(second), metres)).to_vec()).unwrap();
    let mean =
        |reports: &[Report]| reports.iter().map(|report| f64::from(report.rssi)).sum::<f64>() / reports.len() as f64;
    let mut host = Host::new(&scenario);
    host.scan(64, 64, 0);
    let contact = host.hear(4_900);
    assert!(contact.iter().all(|report| (-42..=-38).contains(&report.rssi)), "{contact:?}");
    host.wait(5_100);
    assert!((-90.0..-62.0).contains(&mean(&host.hear(5_000))));
    assert!(
        host.simulation
            .steer(host.now, &Steer::Move { band: "desk".into(), distance: 0.02, takes: Duration::from_millis(500) })
    );
    host.wait(600);
    assert!(mean(&host.hear(2_000)) > -40.0);
}

#[test]
fn an_hour_passes_from_event_to_event() {
    let mut host = Host::new(&Scenario::default());
    host.scan(64, 64, 0);
    // 10 a second from the band, 5 times 3 from the neighbours, some of it lost.
    let heard = host.hear(3_600_000).len();
    assert!((60_000..85_000).contains(&heard), "{heard}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a host writes, after a second of silence the dongle answers again.
    #[test]
    fn no_bytes_confuse_it_for_good(
        pieces in prop::collection::vec(
            prop::collection::vec(prop_oneof![3 => 0_u8..10, 1 => any::<u8>()], 0..80),
            0..20,
        ),
    ) {
        let mut host = Host::new(&quiet());
        for piece in pieces {
            host.write(&piece);
            host.wait(7);
        }
        host.wait(5_000); // a reset it was talked into takes its time
        if !host.ask(&HELLO).contains(&"rsp system_hello".to_owned()) {
            host.write(&[0, 1, 9, 0, 0]); // it was talked into the bootloader
            host.wait(2_000);
            let said = host.ask(&HELLO);
            prop_assert!(said.contains(&"rsp system_hello".to_owned()), "{said:?}");
        }
    }
}

#[test]
fn the_example_scenarios_can_be_played() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
    let mut played = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let scenario = Scenario::load(&path).unwrap();
        let mut simulation = Simulation::new(&scenario, 1);
        simulation.handle_bytes(Time::ZERO, &OBSERVE.encoded());
        let mut bytes = 0;
        simulation.run_until(Time::from_secs(60), |_, _, packet| bytes += packet.len());
        assert!(bytes > 1_000, "{}", path.display());
        played += 1;
    }
    assert!(played >= 5);
}
