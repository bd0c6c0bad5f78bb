//! The picture as tables for a person at a terminal.

use std::fmt::{self, Display, Write as _};

use super::excluded::Excluded;
use super::goals::{Beside, Goal, Group, Must, Unit, goals};
use super::numbers::{DESK, HUMAN, Joint};
use super::picture::Picture;
use super::plan::{Plan, SHIFT_DB};

/// All there is to say, in lines of at most 100 columns.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// What came of it.
    pub pictures: &'a [Picture],
    /// What was left out.
    pub excluded: &'a Excluded,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, pictures, excluded } = self;
        let Some(first) = pictures.first() else { return Ok(()) };
        let (locks, joint) = (&first.mean.locks, &first.mean.joint);
        let (present, away, grey) = (locks.present_h, locks.away_h, locks.grey_h);
        let traces = plan.traces.len();
        let hours = format!("present {present:.2} h, away {away:.2} h, grey {grey:.2} h");
        writeln!(f, "traces: {traces}, {hours}{}", asked(plan))?;
        writeln!(f, "desk:   present {:.2} h, in {}", joint.desk_h, DESK.join(", "))?;
        let departures = number(joint.departures);
        writeln!(f, "human:  departures {departures}, away {:.2} h, in {}", joint.away_h, HUMAN.join(", "))?;
        for picture in *pictures {
            write_picture(f, picture, plan)?;
        }
        writeln!(
            f,
            "\n95 % intervals: by Garwood for rates, by Clopper and Pearson for shares; a row without one counts"
        )?;
        writeln!(f, "no events, or events of runs that are not independent. p50 and p95 are nearest rank.")?;
        write_excluded(f, pictures, excluded)
    }
}

/// Which stress was asked for.
fn asked(plan: &Plan) -> String {
    let mut text = String::new();
    if let Some(shift) = plan.asked.shift_db {
        let _ = write!(text, ", {shift:+} dB off"); // a String takes all
    }
    if let Some(share) = plan.asked.thin {
        let _ = write!(text, ", {:.0} % of the adverts lost", share * 100.0); // as above
    }
    text
}

fn write_picture(f: &mut fmt::Formatter<'_>, picture: &Picture, plan: &Plan) -> fmt::Result {
    let judged = !picture.stressed.is_empty();
    let goals = goals(picture);
    for group in goals.chunk_by(|a, b| a.group == b.group) {
        let title = title(picture, plan, group[0].group);
        writeln!(f)?;
        if group[0].group == Group::Joint {
            let beside = if picture.runs > 1 { "worst" } else { "95 % interval" };
            let heads = ["traces", "value", beside, "must", "met"];
            write_line(f, &title, if judged { heads } else { ["traces", "value", beside, "", ""] })?;
        } else {
            writeln!(f, "{title}")?;
        }
        for goal in group {
            let met = match goal.is_met() {
                _ if !judged => "",
                Some(true) => "yes",
                Some(false) => "NO",
                None => "-",
            };
            let cells = [goal.traces, &value(goal), &beside(goal), &must(goal), met];
            write_line(f, &format!("  {}", goal.what), cells)?;
        }
    }
    if !picture.without.is_empty() {
        write_without(f, &picture.without)?;
    }
    Ok(())
}

fn write_line(f: &mut fmt::Formatter<'_>, what: &str, [traces, value, beside, must, met]: [&str; 5]) -> fmt::Result {
    let line = format!("{what:36} {traces:15} {value:>12} {beside:>18} {must:>8} {met:>4}");
    writeln!(f, "{}", line.trim_end())
}

/// What stands above a group of rows.
fn title(picture: &Picture, plan: &Plan, group: Group) -> String {
    let Joint { desk_h, departures, held, .. } = picture.mean.joint;
    match group {
        Group::Joint if desk_h == 0.0 || departures == 0.0 => format!("{}: joint claim: not tried", picture.name),
        Group::Joint if picture.runs > 1 => format!("{}: joint claim: held in {:.0} %", picture.name, held * 100.0),
        Group::Joint if held > 0.0 => format!("{}: joint claim: HELD", picture.name),
        Group::Joint => format!("{}: joint claim: NOT held", picture.name),
        Group::Locks => "locks".into(),
        Group::Taps => "taps".into(),
        Group::ShiftUp => format!("calibrated {SHIFT_DB} dB too high"),
        Group::ShiftDown => format!("calibrated {SHIFT_DB} dB too low"),
        Group::Thin => format!("half of the adverts lost, mean of {}", plan.asked.seeds),
    }
}

fn write_without(f: &mut fmt::Formatter<'_>, without: &[(String, Joint)]) -> fmt::Result {
    writeln!(
        f,
        "\n{:44} {:>9} {:>11} {:>9} {:>11} {:>6}",
        "joint claim without one source of traces", "per 8 h", "locked out", "missed", "exposed", "held"
    )?;
    for (source, joint) in without {
        let source: String = source.chars().filter(|c| !c.is_control()).collect();
        let name = if source.chars().count() > 42 {
            let end: String = source.chars().skip(source.chars().count() - 39).collect();
            format!("...{end}")
        } else {
            source
        };
        let at_desk = joint.desk_h > 0.0;
        let per_8h = if at_desk { fixed(joint.false_locks_per_8h) } else { "-".into() };
        let out = if at_desk { format!("{:.2} %", joint.locked_out_pct) } else { "-".into() };
        let missed = format!("{} of {}", number(joint.missed_locks), number(joint.departures));
        let held = match (at_desk && joint.departures > 0.0, joint.held > 0.0) {
            (false, _) => "-",
            (true, true) => "yes",
            (true, false) => "NO",
        };
        writeln!(f, "  {name:42} {per_8h:>9} {out:>11} {missed:>9} {:>11} {held:>6}", seconds(joint.exposed_p95))?;
    }
    Ok(())
}

/// The most names that are listed.
const NAMED: usize = 20;

fn write_excluded(f: &mut fmt::Formatter<'_>, pictures: &[Picture], excluded: &Excluded) -> fmt::Result {
    let Excluded { unusable, no_readings, with_no_readings, no_locks, too_thin, neither, contacts } = excluded;
    writeln!(f, "\nleft out")?;
    writeln!(f, "  files that cannot be used: {}", unusable.len())?;
    write_named(f, unusable)?;
    writeln!(f, "  rows that are no reading: {no_readings}, in so many traces: {with_no_readings}")?;
    writeln!(f, "  traces in which locks are not scored: {}", no_locks.len())?;
    write_named(f, no_locks)?;
    writeln!(f, "  traces in which they are not in some ways to lose adverts: {}", too_thin.len())?;
    write_named(f, too_thin)?;
    writeln!(f, "  traces neither of desk nor human by their names, so only in the rows \"all\": {}", neither.len())?;
    writeln!(
        f,
        "  traces with contacts but not of taps by their names, so that no row has the hits: {}",
        contacts.len()
    )?;
    write_named(f, contacts)?;
    for Picture { name, counts, .. } in pictures {
        let (departures, approaches) = (counts.all.censored_departures, counts.all.censored_approaches);
        writeln!(f, "  too short to judge, by {name}: departures {departures}, approaches {approaches}")?;
    }
    Ok(())
}

fn write_named(f: &mut fmt::Formatter<'_>, named: &[(String, String)]) -> fmt::Result {
    named.iter().take(NAMED).try_for_each(|(name, reason)| {
        let line: String = format!("{}: {reason}", brief(name)).chars().take(96).collect();
        writeln!(f, "    {line}")
    })?;
    if named.len() > NAMED { writeln!(f, "    and {} more", named.len() - NAMED) } else { Ok(()) }
}

/// A name as it may be printed in a line.
fn brief(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(50).collect()
}

/// A number with no more digits than it has.
fn number(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { fixed(number) }
}

/// Two digits after the point; a large number needs none.
fn fixed(number: f64) -> String {
    if number.abs() < 1000.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

fn seconds(seconds: f64) -> String {
    match seconds {
        endless if endless.is_infinite() => "endless".into(),
        none if none.is_nan() => "-".into(),
        seconds => format!("{} s", fixed(seconds)),
    }
}

fn value(goal: &Goal) -> String {
    match goal.unit {
        _ if !goal.judged => "-".into(),
        Unit::Per8h(events) => format!("{} ({})", fixed(goal.value), number(events)),
        Unit::Percent => format!("{:.2} %", goal.value),
        Unit::Seconds => seconds(goal.value),
        Unit::Events => number(goal.value),
        Unit::Of(all) => format!("{} of {}", number(goal.value), number(all)),
    }
}

fn beside(goal: &Goal) -> String {
    match goal.beside {
        _ if !goal.judged => String::new(),
        Beside::Nothing => String::new(),
        Beside::Rate { low, high, hours: 1 } => format!("{} to {} /h", fixed(low), fixed(high)),
        Beside::Rate { low, high, .. } => format!("{} to {}", fixed(low), fixed(high)),
        Beside::Share { low, high } => format!("{:.1} to {:.1} %", low * 100.0, high * 100.0),
        Beside::Worst(worst) => {
            let worst = match goal.unit {
                Unit::Seconds => seconds(worst),
                Unit::Percent => format!("{worst:.2} %"),
                Unit::Per8h(_) => fixed(worst),
                Unit::Events | Unit::Of(_) => number(worst),
            };
            format!("worst {worst}")
        }
    }
}

fn must(goal: &Goal) -> String {
    let unit = match goal.unit {
        Unit::Percent => " %",
        Unit::Seconds => " s",
        _ => "",
    };
    match goal.must {
        Some(Must::AtMost(limit)) => format!("<= {limit}{unit}"),
        Some(Must::AtLeast(limit)) => format!(">= {limit}{unit}"),
        None => String::new(),
    }
}
