//! One daemon's channel: what the agent owes it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Now;
use super::delay::Delay;
use super::ledger::{Ledgers, Receipt};
use super::received::{Received, Verdict};
use super::roster::Roster;

/// How long a tap is worth anything where it does not say so itself.
const TAP_TTL: Duration = Duration::from_millis(3000);

/// The longest boot id taken for one, in bytes of JSON.
const MAX_BOOT: usize = 64;

/// How often a roster is offered on one join; a daemon that still refuses has a reason.
const MAX_OFFERS: u8 = 2;

/// A daemon that joined.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) id: String,
    /// As JSON text, since its kind is the daemon's choice; empty if it gave none.
    boot: String,
    delay: Delay,
    /// A snapshot was asked for and has not come yet.
    awaits_snapshot: bool,
    offers: u8,
    offer_req: String,
}

/// What the agent does about one event.
#[derive(Debug)]
pub(super) struct Handled {
    /// The response of the reply.
    pub(super) reply: Value,
    /// The event, if it is news.
    pub(super) received: Option<Received>,
    /// What to push after the reply.
    pub(super) commands: Vec<(&'static str, Value)>,
}

impl Endpoint {
    /// Takes a join; `req` is a name for commands that no other join has.
    ///
    /// Gives the response and what to push after it. A predecessor on the same socket keeps its measure of delay.
    pub(super) fn join(
        now: Now,
        id: &str,
        params: &Value,
        predecessor: Option<&Self>,
        roster: Option<&Roster>,
        req: &str,
        ledgers: &mut Ledgers,
    ) -> (Self, Value, Vec<(&'static str, Value)>) {
        let boot = boot(params).unwrap_or_default();
        if boot.is_empty() {
            // Nothing tells this run from the one before, so its numbers are its own.
            ledgers.forget(id, &boot);
        }
        let ledger = ledgers.of(now.at, id, &boot);
        let number = |name: &str| params[name].as_u64();
        ledger.settle(number("oldest_seq").unwrap_or(0).saturating_sub(1));
        let resume = ledger.is_begun();
        if !resume {
            // A snapshot is due and holds whatever came before.
            ledger.account(number("next_seq").unwrap_or(0).saturating_sub(1));
        }
        let resume = resume.then(|| json!({"boot": params["boot"], "ack": ledger.ack()}));
        let mut response = json!({
            "proto": 1,
            "session": req,
            "resume": resume,
            "limits": {"inflight": 32, "rssi_hz": 2, "frame": 32768},
            "time_ms": now.unix_ms,
        });
        let mut endpoint = Self {
            id: id.to_owned(),
            delay: predecessor.filter(|old| old.boot == boot).map(|old| old.delay).unwrap_or_default(),
            boot,
            awaits_snapshot: false,
            offers: 0,
            offer_req: format!("roster-{req}"),
        };
        let mut commands = Vec::new();
        if let Some(roster) = roster {
            response["roster_rev"] = roster.rev.into();
            if number("roster_rev") != Some(roster.rev) {
                commands.extend(endpoint.offer(roster));
            }
        }
        (endpoint, response, commands)
    }

    /// Takes one event; `req` is a name for a command that no other has.
    pub(super) fn handle_event(
        &mut self,
        now: Now,
        event: &str,
        payload: Value,
        roster: Option<&Roster>,
        req: &str,
        ledgers: &mut Ledgers,
    ) -> Handled {
        let number = |name: &str| payload[name].as_u64();
        let boot = boot(&payload).unwrap_or_else(|| self.boot.clone());
        if boot != self.boot {
            (self.boot, self.delay) = (boot, Delay::default());
        }
        let delay = number("sent").map(|sent| self.delay.observe(now.at, sent));

        let seq = number("seq").filter(|&seq| seq > 0);
        let mut handled = Handled { reply: json!({}), received: None, commands: Vec::new() };
        if let Some(seq) = seq {
            let ledger = ledgers.of(now.at, &self.id, &self.boot);
            if event == "snapshot" {
                ledger.account(number("as_of").unwrap_or(0));
                self.awaits_snapshot = false;
            }
            let receipt = ledger.record(seq);
            handled.reply = json!({"ack": ledger.ack()});
            match receipt {
                Receipt::Duplicate => {
                    tracing::debug!(endpoint = %self.id.escape_debug(), seq, "ignored a duplicate");
                    return handled;
                }
                Receipt::New { hole: true } if !self.awaits_snapshot => {
                    tracing::warn!(endpoint = %self.id.escape_debug(), seq, "facts are missing before this one");
                    self.awaits_snapshot = true;
                    handled.commands.push(("snapshot.get", json!({"req": req})));
                }
                Receipt::New { .. } => {}
            }
        }
        if event == "fact.dropped" && payload["kind"] == "snapshot" && !self.awaits_snapshot {
            self.awaits_snapshot = true;
            handled.commands.push(("snapshot.get", json!({"req": req})));
        }
        if event == "roster.ack"
            && let Some(roster) = roster
        {
            handled.commands.extend(self.check_roster(&payload, roster));
        }
        handled.received = Some(Received {
            unix_ms: now.unix_ms,
            endpoint: self.id.clone(),
            event: event.to_owned(),
            seq,
            verdict: verdict(event, &payload, delay),
            payload,
        });
        handled
    }

    /// Looks at what became of an offer. A refusal may be older than the offer, so it is made once more.
    fn check_roster(&mut self, answer: &Value, roster: &Roster) -> Option<(&'static str, Value)> {
        if answer["accepted"] == Value::Bool(true) {
            let unknown = answer["unknown"].as_array().map_or(0, Vec::len);
            tracing::info!(endpoint = %self.id.escape_debug(), rev = roster.rev, unknown, "the endpoint follows the roster");
        } else if answer["have"].as_u64() != Some(roster.rev) {
            let offer = self.offer(roster);
            if offer.is_none() {
                tracing::warn!(endpoint = %self.id.escape_debug(), rev = roster.rev, "the endpoint refuses the roster");
            }
            return offer;
        }
        None
    }

    /// The roster as a command, always under the same `req`, so that a second one changes nothing.
    fn offer(&mut self, roster: &Roster) -> Option<(&'static str, Value)> {
        if self.offers == MAX_OFFERS {
            return None;
        }
        self.offers += 1;
        let mut payload = Map::from_iter([("req".to_owned(), Value::from(self.offer_req.as_str()))]);
        if let Ok(Value::Object(fields)) = serde_json::to_value(roster) {
            payload.extend(fields);
        }
        Some(("roster.set", Value::Object(payload)))
    }
}

/// The daemon start that a payload belongs to.
fn boot(payload: &Value) -> Option<String> {
    let boot = &payload["boot"];
    (boot.is_string() || boot.is_number()).then(|| boot.to_string()).filter(|text| text.len() <= MAX_BOOT)
}

/// Whether an event that could open a lock is young enough to.
///
/// Its age is what passed before it was written to the socket, and how much later than the quickest message it came.
fn verdict(event: &str, payload: &Value, delay: Option<Duration>) -> Option<Verdict> {
    if event != "band.tap" && !(event == "band.trend" && payload["after"] == "near") {
        return None;
    }
    let micros = |name: &str| payload[name].as_u64().map(Duration::from_micros);
    let before_sent = micros("sent").zip(micros("t")).and_then(|(sent, t)| sent.checked_sub(t));
    let age = before_sent.zip(delay).map(|(before, delay)| before.saturating_add(delay));
    let ttl = payload["ttl_ms"].as_u64().map_or(TAP_TTL, Duration::from_millis);
    Some(Verdict { acted: age.is_some_and(|age| age < ttl), age })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn only_young_taps_and_near_trends_open_a_lock() {
        const END: u128 = u64::MAX as u128 / 1_000 + 9 - 1;
        let ms = Duration::from_millis;
        let cases = [
            ("a fresh tap", "band.tap", json!({"t": 5_000, "sent": 10_000, "ttl_ms": 3000}), 0, Some((true, Some(5)))),
            ("just in time", "band.tap", json!({"t": 0, "sent": 2_999_999}), 0, Some((true, Some(2999)))),
            ("just too late", "band.tap", json!({"t": 0, "sent": 3_000_000}), 0, Some((false, Some(3000)))),
            ("late on the way", "band.tap", json!({"t": 0, "sent": 0}), 3_000, Some((false, Some(3000)))),
            ("a shorter life", "band.tap", json!({"t": 0, "sent": 0, "ttl_ms": 10}), 10, Some((false, Some(10)))),
            ("no moment", "band.tap", json!({"sent": 0}), 0, Some((false, None))),
            ("sent before decided", "band.tap", json!({"t": 2, "sent": 1}), 0, Some((false, None))),
            ("negative", "band.tap", json!({"t": -5, "sent": 1}), 0, Some((false, None))),
            ("sent at the end of time", "band.tap", json!({"t": 999, "sent": u64::MAX}), 9, Some((false, Some(END)))),
            ("near", "band.trend", json!({"t": 0, "sent": 0, "after": "near"}), 0, Some((true, Some(0)))),
            (
                "old near",
                "band.trend",
                json!({"t": 0, "sent": 9_000_000, "after": "near"}),
                0,
                Some((false, Some(9000))),
            ),
            ("hold is state", "band.trend", json!({"t": 0, "sent": 0, "after": "hold"}), 0, None),
            ("expired is audit", "band.tap.expired", json!({"t": 0, "sent": 0}), 0, None),
        ];
        for (case, event, payload, delay, expected) in cases {
            let got = verdict(event, &payload, Some(ms(delay))).map(|v| (v.acted, v.age.map(|age| age.as_millis())));
            assert_eq!(got, expected, "{case}");
        }
        let unmeasured = verdict("band.tap", &json!({"t": 0}), None);
        assert_eq!(unmeasured, Some(Verdict { acted: false, age: None }));
    }

    #[test]
    fn a_boot_is_a_short_string_or_a_number() {
        let cases = [
            (json!({"boot": "a1"}), Some("\"a1\"")),
            (json!({"boot": 12}), Some("12")),
            (json!({"boot": null}), None),
            (json!({"boot": {"a": 1}}), None),
            (json!({"boot": "x".repeat(64)}), None),
            (json!([]), None),
        ];
        for (payload, expected) in cases {
            assert_eq!(boot(&payload).as_deref(), expected, "{payload}");
        }
    }

    #[test]
    fn another_boot_on_the_same_join_is_measured_anew() {
        let mut ledgers = Ledgers::default();
        let now = Now { at: Time::from_secs(100), unix_ms: 0 };
        let params = json!({"boot": "a"});
        let (mut endpoint, ..) = Endpoint::join(now, "e", &params, None, None, "r", &mut ledgers);
        let tap = |boot: &str, sent: u64| json!({"boot": boot, "seq": 1, "t": sent, "sent": sent});
        let handled = endpoint.handle_event(now, "band.tap", tap("a", 90_000_000), None, "q", &mut ledgers);
        assert!(handled.received.unwrap().verdict.unwrap().acted);
        let handled = endpoint.handle_event(now, "band.tap", tap("b", 1_000), None, "q", &mut ledgers);
        assert!(handled.received.unwrap().verdict.unwrap().acted, "its clock began later");
    }

    #[test]
    fn a_snapshot_that_was_given_up_is_asked_for() {
        let mut ledgers = Ledgers::default();
        let now = Now { at: Time::from_secs(100), unix_ms: 0 };
        let (mut endpoint, ..) = Endpoint::join(now, "e", &json!({"boot": "a"}), None, None, "r", &mut ledgers);
        let dropped = |seq: u64, kind: &str| json!({"boot": "a", "seq": seq, "kind": kind});
        let handled = endpoint.handle_event(now, "fact.dropped", dropped(1, "band.tap"), None, "q", &mut ledgers);
        assert_eq!(handled.commands, []);
        for (seq, commands) in [(2, vec![("snapshot.get", json!({"req": "q"}))]), (3, vec![])] {
            let handled = endpoint.handle_event(now, "fact.dropped", dropped(seq, "snapshot"), None, "q", &mut ledgers);
            assert_eq!(handled.commands, commands, "seq {seq}");
        }
    }
}
