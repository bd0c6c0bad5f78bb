//! `nbe simulate`: a virtual dongle for as long as the command runs.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Failure, exit};
use crate::service::Signals;
use crate::simulate::{Scenario, SimulateError, VirtualDongle};
use crate::time::Time;

#[cfg(unix)]
const EXAMPLES: &str = "\
Examples:
  nbe simulate --link /tmp/dongle &
  nbe run --port /tmp/dongle

  nbe simulate --link /tmp/dongle --scenario fixtures/scenarios/tap.toml --seed 7
  nbe simulate --port /dev/ttyGS0     at the far end of a USB gadget";

#[cfg(not(unix))]
const EXAMPLES: &str = r"Examples:
  nbe simulate --link \\.\pipe\dongle
  nbe run --port \\.\pipe\dongle            at another prompt

  nbe simulate --link \\.\pipe\dongle --scenario fixtures\scenarios\tap.toml --seed 7";

/// Be a BLED112 dongle, with bands and neighbours around it
///
/// Programs that open the link find what they would find behind a real dongle's port. Without a scenario one band sits
/// at 0.7 m and five neighbours advertise. What happens is said on standard error.
#[derive(Args, Clone, Debug)]
#[cfg_attr(unix, command(group(clap::ArgGroup::new("place").required(true))))]
#[command(after_help = EXAMPLES)]
pub struct SimulateArgs {
    /// Where programs find the port; an older link is replaced, anything else is left alone
    #[cfg(unix)]
    #[arg(long, value_name = "PATH", group = "place")]
    pub link: Option<PathBuf>,

    /// The name of the pipe at which programs find the dongle, such as `\\.\pipe\dongle`
    #[cfg(not(unix))]
    #[arg(long, value_name = "PIPE")]
    pub link: PathBuf,

    /// A serial device to be the dongle at, instead of a port of its own; when it hangs up it is opened anew
    #[cfg(unix)]
    #[arg(long, value_name = "DEVICE", group = "place")]
    pub port: Option<PathBuf>,

    /// What happens around the dongle and to it, a TOML file
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,

    /// Repeats the chance of another run; drawn if not given
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Simulates until SIGINT, SIGTERM or SIGHUP; the link is gone afterwards.
///
/// # Errors
/// If the scenario is wrong, or the port cannot be made or fails.
pub async fn run(args: &SimulateArgs) -> Result<(), SimulateError> {
    let scenario = args.scenario.as_deref().map(Scenario::load).transpose()?.unwrap_or_default();
    let seed = args.seed.unwrap_or_else(draw_seed);
    let mut signals = Signals::new().map_err(SimulateError::Signals)?;
    let mut dongle = plug_in(args, &scenario, seed)?;
    introduce(dongle.link(), &scenario, args.scenario.as_deref(), seed);
    loop {
        tokio::select! {
            notice = dongle.notice() => match notice {
                Some((at, text)) => tell(at, &text),
                None => return dongle.stop(), // it ended by itself, and says why
            },
            _ = signals.next() => return dongle.stop(),
        }
    }
}

#[cfg(unix)]
fn plug_in(args: &SimulateArgs, scenario: &Scenario, seed: u64) -> Result<VirtualDongle, SimulateError> {
    match (&args.link, &args.port) {
        (_, Some(device)) => VirtualDongle::at(device, scenario, seed),
        (Some(link), None) => VirtualDongle::spawn(link, scenario, seed),
        (None, None) => unreachable!("the command line asks for one of them"),
    }
}

#[cfg(not(unix))]
fn plug_in(args: &SimulateArgs, scenario: &Scenario, seed: u64) -> Result<VirtualDongle, SimulateError> {
    VirtualDongle::spawn(&args.link, scenario, seed)
}

/// The failure as the command line reports it.
pub fn failure(error: SimulateError) -> Failure {
    let hint = error.hint();
    let failure = Failure::new(exit::FOUND, error);
    match hint {
        Some(hint) => failure.advise(hint),
        None => failure,
    }
}

fn introduce(link: &Path, scenario: &Scenario, file: Option<&Path>, seed: u64) {
    match std::fs::read_link(link) {
        Ok(port) => eprintln!("link      {} -> {}", link.display(), port.display()),
        Err(_) => eprintln!("port      {}", link.display()),
    }
    eprintln!("seed      {seed}");
    match file {
        Some(file) => eprintln!("scenario  {}: {}", file.display(), scenario.summary()),
        None => eprintln!("scenario  {}", scenario.summary()),
    }
}

fn tell(at: Time, text: &str) {
    eprintln!("{:8.1} s  {text}", at.since(Time::ZERO).as_secs_f64());
}

/// A short number, easy to type again.
fn draw_seed() -> u64 {
    getrandom::u32().unwrap_or(1).into()
}
