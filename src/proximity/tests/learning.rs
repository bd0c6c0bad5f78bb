//! What is learnt outlives a restart, and belongs to its band, its dongle and its settings.

use super::*;

const ADDRESS: BdAddr = BdAddr([1, 2, 3, 0x80, 7, 0]);
const OTHER_ADDRESS: BdAddr = BdAddr([4, 5, 6, 0x80, 7, 0]);

fn adaptive() -> Settings {
    settings().with_detector(Detector::Adaptive, Parameters::SETTLED)
}

fn bench(settings: Settings) -> Bench {
    let mut bench = Bench::new(settings);
    bench.engine.handle_dongle(DONGLE, ADDRESS);
    bench
}

impl Bench {
    /// Half an hour of a band that lies still, twice a second, give or take 2 dB.
    fn sit(&mut self, from: f64, band: u8, dbm: i8) {
        for i in 0..3_600_u32 {
            self.hear_at(from + f64::from(i) / 2.0, DONGLE, band, dbm + [0, -2, 1, 2, -1][i as usize % 5]);
        }
    }

    fn learnt(&self) -> Vec<Learnt> {
        self.engine.learnt(|_| Some(20_000))
    }

    /// What an engine of the next run recalls of this one.
    fn restarted(&self, settings: Settings) -> Self {
        let (learnt, _) = from_json(&to_json(&self.learnt())).unwrap();
        let mut next = bench(settings);
        next.engine.recall(learnt);
        next
    }

    /// The level of a band's seat, in dBm, if any is known.
    fn seat(&self, band: u8) -> Option<i32> {
        let learnt = self.learnt();
        let record = learnt.iter().find(|learnt| learnt.band == address(band))?;
        Some((f64::from(record.lesson.seat_cdb) / 100.0).round() as i32)
    }
}

#[test]
fn what_is_learnt_outlives_a_restart() {
    let mut first = bench(adaptive());
    first.sit(0.0, 1, -58);
    let before = first.learnt();
    assert_eq!((before.len(), first.seat(1)), (1, Some(-58)));
    assert_eq!((before[0].band, before[0].dongle, before[0].day), (address(1), ADDRESS, Some(20_000)));
    let mut second = first.restarted(adaptive());
    assert_eq!(second.learnt(), before, "what is not heard is kept as it was");
    second.hear(0.0, -58);
    assert_eq!(second.seat(1), Some(-58));
    let third = second.restarted(adaptive());
    assert_eq!(third.seat(1), Some(-58), "nor is it lost by a restart soon after");
    assert_eq!(bench(adaptive()).seat(1), None);
}

/// All decisions about band 2, which is heard while band 1 is, and whether anything is known of band 1.
#[test]
fn what_is_known_of_one_band_changes_no_decision_about_another() {
    let mut first = bench(adaptive());
    first.sit(0.0, 1, -80);
    first.engine.handle_signed_in(secs(1_800.0), address(1)).unwrap();
    first.sit(1_800.5, 1, -80);
    assert_eq!(first.seat(1), Some(-80), "a seat so quiet that others would be near by it");
    let day = |mut bench: Bench| {
        for i in 0..4_000_u32 {
            let at = f64::from(i) / 2.0;
            let noise = [0, -3, 2, 1, -1, 3, -2][i as usize % 7];
            bench.hear_at(at, DONGLE, 1, -80 + noise);
            let place = [-66, -80, -74, -90, -60, -83, -78, -70][i as usize / 500];
            bench.hear_at(at + 0.1, DONGLE, 2, place + noise);
        }
        let of = |band: u8| -> Vec<Decision> {
            bench.noted.iter().filter(|decision| decision.band.address == address(band)).cloned().collect()
        };
        (of(1), of(2))
    };
    let (mine, others) = day(first.restarted(adaptive()));
    let (mine_without, others_without) = day(bench(adaptive()));
    assert_eq!(format!("{others:?}"), format!("{others_without:?}"));
    assert!(others.len() > 5, "{}", others.len());
    assert_ne!(mine, mine_without, "it was used");
}

#[test]
fn each_dongle_has_what_was_learnt_there_wherever_it_is_plugged() {
    let mut bench = bench(adaptive());
    bench.sit(0.0, 1, -58);
    bench.engine.handle_dongle(DONGLE, ADDRESS);
    assert_eq!(bench.seat(1), Some(-58), "the same again is no other");
    bench.engine.handle_dongle(DONGLE, OTHER_ADDRESS);
    assert_eq!(bench.learnt().iter().map(|learnt| learnt.dongle).collect::<Vec<_>>(), [ADDRESS]);
    bench.sit(2_000.0, 1, -66);
    let dongles = |bench: &Bench| -> Vec<(BdAddr, i32)> {
        bench.learnt().iter().map(|learnt| (learnt.dongle, (learnt.lesson.seat_cdb - 50) / 100)).collect()
    };
    assert_eq!(dongles(&bench), [(OTHER_ADDRESS, -66), (ADDRESS, -58)]);
    bench.engine.handle_dongle(OTHER_DONGLE, ADDRESS);
    bench.hear_at(4_000.0, OTHER_DONGLE, 1, -58);
    assert_eq!(dongles(&bench), [(ADDRESS, -58), (OTHER_ADDRESS, -66)], "at another port it is the same");
}

#[test]
fn a_dongle_that_comes_to_another_port_of_this_run_keeps_what_was_learnt_there() {
    let mut bench = bench(adaptive());
    bench.sit(0.0, 1, -58);
    bench.engine.handle_dongle(OTHER_DONGLE, ADDRESS);
    let seats = |bench: &Bench| bench.learnt().iter().map(|it| (it.dongle, it.lesson.seat_known_s)).collect::<Vec<_>>();
    let before = seats(&bench);
    assert_eq!(before.len(), 1);
    bench.hear_at(2_000.0, OTHER_DONGLE, 1, -58);
    assert_eq!(seats(&bench), [(ADDRESS, 120)], "recalled there, and known of once: {before:?}");
    bench.engine.handle_dongle(DONGLE, OTHER_ADDRESS);
    assert_eq!(seats(&bench), [(ADDRESS, 120)], "another dongle at the old port takes nothing over");
}

#[test]
fn a_dongle_that_tells_its_address_late_does_not_lose_what_is_known_of_it() {
    let mut first = bench(adaptive());
    first.sit(0.0, 1, -58);
    let mut second = Bench::new(adaptive());
    second.engine.recall(first.learnt());
    second.hear(0.0, -58);
    second.engine.handle_dongle(DONGLE, ADDRESS);
    second.hear(1.0, -58);
    assert_eq!(second.learnt()[0].lesson.seat_known_s, 120, "recalled");
}

#[test]
fn what_was_learnt_under_other_settings_is_dropped() {
    let mut first = bench(adaptive());
    first.sit(0.0, 1, -58);
    let cutoffs =
        |close, far| Settings { cutoffs: Cutoffs::new(Level::from_dbm(close), Level::from_dbm(far)), ..settings() };
    let adapted = |settings: Settings| settings.with_detector(Detector::Adaptive, Parameters::SETTLED);
    let others = [adapted(cutoffs(-71, -75)), adapted(cutoffs(-70, -76)), Settings { offsets: vec![30], ..adaptive() }];
    for other in others {
        let mut second = first.restarted(other.clone());
        second.hear(0.0, -58);
        assert_eq!(second.seat(1), None, "after a restart: {:?} {:?}", other.cutoffs, other.offsets);
        let mut reloaded = bench(adaptive());
        reloaded.engine.recall(first.learnt());
        reloaded.hear(0.0, -58);
        assert_eq!(reloaded.seat(1), Some(-58));
        reloaded.engine.handle_settings(secs(1.0), other.clone());
        assert_eq!(reloaded.seat(1), None, "after a reload: {:?} {:?}", other.cutoffs, other.offsets);
    }
    let calmer = Settings { absent_after: Duration::from_secs(60), digest: Digest(1), ..adaptive() };
    first.engine.handle_settings(secs(1_800.0), calmer);
    assert_eq!(first.seat(1), Some(-58), "what has nothing to do with it changes nothing");
}

#[test]
fn classic_learns_nothing_and_lets_what_was_learnt_be() {
    let mut bench = bench(adaptive());
    bench.sit(0.0, 1, -58);
    let learnt = bench.learnt();
    bench.engine.handle_settings(secs(1_800.0), settings());
    assert!(!bench.engine.is_learning() && bench.learnt().is_empty());
    bench.sit(1_800.0, 1, -66);
    bench.engine.handle_settings(secs(3_700.0), adaptive());
    bench.hear(3_701.0, -58);
    assert_eq!(bench.seat(1), Some(-58));
    let mut classic = Bench::new(settings());
    classic.engine.recall(learnt);
    classic.engine.handle_settings(secs(1.0), adaptive());
    assert_eq!(classic.seat(1), None);
}

#[test]
fn a_band_that_the_roster_leaves_out_is_forgotten_heard_or_not() {
    let mut first = bench(adaptive());
    for band in 1..=3 {
        first.sit(f64::from(band) * 1_800.0, band, -58);
    }
    let known = |bench: &Bench| (1..=3).map(|band| bench.seat(band).is_some()).collect::<Vec<_>>();
    assert_eq!(known(&first), [true; 3]);
    let listed = |mode, bands: &[u8]| {
        let bands: Vec<_> = bands.iter().map(|&band| (band, "somebody", Auth::Unknown)).collect();
        roster(mode, 1, &bands)
    };
    for is_heard in [true, false] {
        let mut second = first.restarted(adaptive());
        for band in (1..=3).filter(|_| is_heard) {
            second.hear_at(f64::from(band), DONGLE, band, -58);
        }
        second.engine.handle_roster(secs(4.0), &listed(Mode::All, &[1, 2]));
        assert_eq!(known(&second), [true; 3], "an open roster lets others be");
        second.engine.handle_roster(secs(5.0), &listed(Mode::All, &[1]));
        assert_eq!(known(&second), [true, false, true], "heard: {is_heard}");
        second.engine.handle_roster(secs(6.0), &listed(Mode::Listed, &[1]));
        assert_eq!(known(&second), [true, false, false], "heard: {is_heard}");
        second.engine.recall(first.learnt());
        assert_eq!(known(&second), [true, false, false], "nor does a file bring it back");
    }
}

#[test]
fn a_band_that_makes_room_is_not_forgotten() {
    let mut bench = bench(adaptive());
    bench.sit(0.0, 1, -58);
    for i in 0..MAX_UNLISTED + 10 {
        let [low, high] = (i as u16).to_le_bytes();
        let passer = Address { bytes: BdAddr([low, high, 9, 9, 9, 0xc9]), address_type: AddressType::RANDOM };
        bench.engine.handle_reading(secs(1_900.0 + i as f64), DONGLE, passer, -900);
    }
    assert!(bench.engine.bands().iter().all(|state| state.band.address != address(1)));
    assert_eq!((bench.learnt().len(), bench.seat(1)), (1, Some(-58)), "and who passes leaves nothing");
    bench.hear(5_000.0, -58);
    assert_eq!(bench.seat(1), Some(-58));
}

#[test]
fn a_dongle_that_was_moved_is_counted() {
    let mut first = bench(adaptive());
    first.sit(0.0, 1, -54);
    let mut second = first.restarted(adaptive());
    second.sit(0.0, 1, -73);
    assert_eq!((first.seat(1), second.engine.counters().misfits), (Some(-55), 1));
    assert_ne!(second.seat(1), Some(-55));
}
