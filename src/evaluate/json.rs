//! The picture as one JSON object.

use serde_json::{Map, Value, json};

use super::excluded::Excluded;
use super::goals::{Beside, Goal, Group, Must, Unit, goals};
use super::numbers::{TapRow, json_number};
use super::picture::{Numbers, Picture, Spread};
use super::plan::Plan;

/// All numbers, by table and then by detector.
///
/// Keys of `locks`, `joint` and `taps` hold the means over the ways to lose adverts, `worst` the worst of them.
pub fn json(plan: &Plan, pictures: &[Picture], excluded: &Excluded) -> Value {
    let asked = &plan.asked;
    let mut all = tables(pictures, |picture| &picture.mean);
    if asked.seeds.get() > 1 {
        all.insert("worst".into(), Value::Object(tables(pictures, |picture| &picture.worst)));
    }
    all.insert("traces".into(), plan.traces.len().into());
    all.insert("asked".into(), json!({ "shift_db": asked.shift_db, "thin": asked.thin, "thin_seeds": asked.seeds }));
    let by_name = |of: &dyn Fn(&Picture) -> Value| {
        Value::Object(pictures.iter().map(|picture| (picture.name.to_owned(), of(picture))).collect())
    };
    all.insert("goals".into(), by_name(&|picture| goals(picture).iter().map(goal).collect()));
    all.insert("stressed".into(), by_name(&stressed));
    all.insert("without_source".into(), by_name(&without));
    all.insert("left_out".into(), by_name(&|picture| left_out(picture, excluded)));
    Value::Object(all)
}

fn tables(pictures: &[Picture], pick: impl Fn(&Picture) -> &Numbers) -> Map<String, Value> {
    let [mut locks, mut joints, mut all_taps] = [(); 3].map(|()| Map::new());
    for picture in pictures {
        let Numbers { locks: of_locks, joint, taps, half, elsewhere } = *pick(picture);
        let name = || picture.name.to_owned();
        locks.insert(name(), Value::Object(of_locks.to_json()));
        joints.insert(name(), Value::Object(joint.to_json()));
        let mut row = taps.to_json();
        let object = |row: TapRow| Value::Object(row.to_json());
        row.extend([("half".to_owned(), object(half)), ("elsewhere".to_owned(), object(elsewhere))]);
        all_taps.insert(name(), Value::Object(row));
    }
    [("locks", locks), ("joint", joints), ("taps", all_taps)]
        .map(|(key, rows)| (key.to_owned(), Value::Object(rows)))
        .into_iter()
        .collect()
}

fn goal(goal: &Goal) -> Value {
    let group = match goal.group {
        Group::Joint => "joint",
        Group::Locks => "locks",
        Group::Taps => "taps",
        Group::ShiftUp => "shift_up",
        Group::ShiftDown => "shift_down",
        Group::Thin => "thin",
    };
    let mut row = json!({ "group": group, "key": goal.key, "traces": goal.traces, "met": goal.is_met() });
    row["value"] = if goal.judged { json_number(goal.value) } else { Value::Null };
    match goal.unit {
        Unit::Of(all) => row["of"] = json_number(all),
        Unit::Per8h(events) => row["events"] = json_number(events),
        Unit::Percent | Unit::Seconds | Unit::Events => {}
    }
    match goal.must {
        Some(Must::AtMost(limit)) => row["at_most"] = json_number(limit),
        Some(Must::AtLeast(limit)) => row["at_least"] = json_number(limit),
        None => {}
    }
    match goal.beside {
        Beside::Nothing => {}
        Beside::Rate { low, high, hours } => row["interval_95"] = json!({ "low": low, "high": high, "per_h": hours }),
        Beside::Share { low, high } => row["interval_95"] = json!({ "low": low, "high": high }),
        Beside::Worst(worst) => row["worst"] = json_number(worst),
    }
    row
}

fn stressed(picture: &Picture) -> Value {
    let spread = |spread: &Spread| json!({ "mean": spread.mean.to_json(), "worst": spread.worst.to_json() });
    let names = ["shift_up", "shift_down", "thin"].into_iter().map(str::to_owned);
    Value::Object(names.zip(picture.stressed.iter().map(spread)).collect())
}

fn without(picture: &Picture) -> Value {
    Value::Object(
        picture.without.iter().map(|(source, joint)| (source.clone(), Value::Object(joint.to_json()))).collect(),
    )
}

fn left_out(picture: &Picture, excluded: &Excluded) -> Value {
    // Lists, for files of several folders may have the same name.
    let named = |named: &[(String, String)]| -> Value {
        named.iter().map(|(name, reason)| json!({ "name": name, "reason": reason })).collect()
    };
    json!({
        "no_readings": excluded.no_readings,
        "unusable_files": named(&excluded.unusable),
        "not_scored_for_locks": named(&excluded.no_locks),
        "too_few_rows_left": named(&excluded.too_thin),
        "neither_desk_nor_human": excluded.neither,
        "contacts_not_scored": named(&excluded.contacts),
        "censored_departures": picture.counts.all.censored_departures,
        "censored_approaches": picture.counts.all.censored_approaches,
    })
}
