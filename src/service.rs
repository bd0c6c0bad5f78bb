//! The daemon's shell: the one place where ports, socket, clock, configuration and signals meet the pure parts.
//!
//! One task, one loop: wait for whatever happens first, hand it in with the time, do what comes out.

mod adapters;
mod configuration;
mod control;
mod learning;
mod levels;
mod notify;
mod signals;
mod state;
mod wall;
mod who;
#[cfg(windows)]
pub mod windows;

use std::path::PathBuf;
use std::time::Duration;

use config::Flag;

use self::adapters::Wanted;
use self::configuration::{Configuration, Look, Origins};
use self::learning::Learning;
use self::levels::Levels;
use self::notify::Notify;
pub use self::signals::{Signal, Signals};
use self::state::State;
use self::wall::Wall;
use self::who::Agent;
use crate::adapter::{self, Claims, Driver, Said};
use crate::agent::Link;
use crate::agent::socket::Socket;
use crate::clock::{Alarm, Clock, SleepWatch};
use crate::control::socket::Server;
use crate::control::status::Reload;
use crate::control::{Code, Refusal};
use crate::endpoint::{Endpoint, Output};
use crate::failure::Failure;
use crate::identity::{self, EndpointId, Labels};
use crate::log::{self, Entry};
use crate::proximity::Settings;
use crate::time::Time;

/// How long an edited file is left alone before it is read: editors write in several steps.
const EDIT_SETTLES: Duration = Duration::from_millis(200);

/// What the daemon is started with.
#[derive(Debug, Default)]
pub struct Options {
    /// The configuration file, in place of the usual places.
    pub config: Option<PathBuf>,
    /// Keys from the command line.
    pub flags: Vec<Flag>,
    /// Environment variables, in place of the process's own.
    pub environment: Option<Vec<(String, String)>>,
    /// Whether every advert of a band goes to the agent.
    pub forward_adverts: bool,
    /// The directory for what outlives a restart.
    pub state: Option<PathBuf>,
    /// Where the control socket is to be.
    pub control: Option<PathBuf>,
    /// Whether a daemon that answers there already goes first, and this one ends. Not for the service of Windows, where
    /// any account may take the place.
    pub yields: bool,
    /// Whether the log is the daemon's to start, as it is for the command; a demo has one already.
    pub own_log: bool,
}

/// How a daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Facts that no agent has acknowledged.
    pub unacknowledged: usize,
}

/// A running daemon.
#[derive(Debug)]
pub struct Service {
    clock: Clock,
    alarm: Alarm,
    sleep: SleepWatch,
    wall: Wall,
    configuration: Configuration,
    state: State,
    learning: Learning,
    /// When to look at the configuration file.
    look_at: Option<Time>,
    claims: Claims,
    /// What each driver was made for.
    wanted: Vec<Wanted>,
    drivers: Vec<Driver>,
    endpoint: Endpoint,
    socket: Socket,
    /// The endpoint's id that this machine has.
    machine: EndpointId,
    /// The agent that is spoken to, and as whom.
    agent: Agent,
    labels: Labels,
    log: Levels,
    /// Those who ask over the control socket.
    control: Option<Server>,
    /// Random, new at every start.
    boot: String,
    notify: Notify,
    /// Whether the agent owed an acknowledgement when that was last looked at.
    overdue: bool,
    /// Why the configuration as it was last looked at is not in force.
    rejected: Option<String>,
    stopping: bool,
    stopped: bool,
}

impl Service {
    /// Reads the configuration and makes everything ready; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// If there is no configuration to run by, another daemon goes first, or the system lacks what every program needs.
    pub fn new(options: Options) -> Result<Self, Failure> {
        let clock = Clock::start();
        let now = clock.now();
        let origins = Origins { file: options.config, flags: options.flags, environment: options.environment };
        let state = options.state.as_deref();
        let machine_id = identity::machine_id();
        let machine = EndpointId::of_machine(machine_id.as_deref(), state)?;
        let start = Configuration::start(origins, state, |config| Agent::of(config, &machine))?;
        let (configuration, agent) = (start.configuration, start.ready);
        let bound = control::bind(options.control.as_deref(), options.yields)?;
        let config = configuration.config();
        let log = options.own_log.then(|| log::start(&config.log, Some(clock)));
        start.diagnostics.iter().for_each(who::log_diagnostic);
        start
            .reason
            .iter()
            .for_each(|reason| log::entry!(error, target: log::CONFIG, Entry::ConfigMistake, "{reason}"));
        who::log_values(configuration.values());
        if machine_id.is_none() {
            log::entry!(
                warn,
                Entry::MachineIdMissing,
                "this machine has no id of its own: the endpoint gets a random one"
            );
        }
        let state = State::new(options.state, machine.clone(), machine_id.is_some());
        state.keep(start.good);
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        let boot = identity::random_id()?;
        let link = Link::new(agent.identity(boot.clone()), u64::from_le_bytes(seed), now);
        let mut endpoint = Endpoint::new(Settings::from(config), link, now);
        let mut wall = Wall::new();
        wall.tell(&mut endpoint, now);
        if options.forward_adverts {
            log::entry!(
                warn,
                Entry::EveryAdvert,
                "every advert of every band is sent to the agent: for laboratories only"
            );
            endpoint.forward_adverts();
        }
        let rejected = start.rejected.then(|| control::reason(&start.diagnostics, start.reason));
        if rejected.is_some() {
            log::entry!(error, target: log::CONFIG, Entry::ConfigLastGood, "the configuration cannot be used as it is: running by the last good copy of it");
            endpoint.handle_rejected(now, "the last good copy of the configuration is in force".to_owned());
        }
        let claims = Claims::default();
        let wanted: Vec<Wanted> = config.adapters.iter().map(Wanted::from).collect();
        let drivers = wanted.iter().enumerate().map(|(place, wanted)| wanted.driver(place, &claims, clock)).collect();
        let socket = Socket::new(agent.target.clone());
        let labels = Labels::new(machine_id.as_deref(), config.log.show_addresses)?;
        let levels = Levels::new(log, log::Levels::from(&config.log));
        let control = control::serve(bound, options.own_log, now);
        let mut service = Self {
            alarm: Alarm::new(clock)?,
            sleep: SleepWatch::new(),
            wall,
            notify: Notify::new(now),
            // Once more, for an edit between reading and watching.
            look_at: Some(now + EDIT_SETTLES),
            overdue: false,
            rejected,
            stopping: false,
            stopped: false,
            clock,
            configuration,
            state,
            learning: Learning::default(),
            claims,
            wanted,
            drivers,
            endpoint,
            socket,
            machine,
            agent,
            labels,
            log: levels,
            control,
            boot,
        };
        service.recall(now);
        Ok(service)
    }

    /// Runs until the signals say to stop and everything is said.
    pub async fn run(mut self, mut signals: impl AsyncSignals) -> Outcome {
        log::entry!(info, Entry::Started, endpoint = %self.agent.endpoint, config = %self.endpoint.config(), "started");
        self.notify.ready();
        loop {
            self.drain();
            if self.stopped {
                self.state.finish().await;
                self.log.finish(self.clock.now());
                return Outcome { unacknowledged: self.endpoint.unacknowledged() };
            }
            let due = self.poll_timeout();
            tokio::select! {
                (place, happened) = adapter::next_of(&mut self.drivers) => {
                    notice_sleep(&mut self.sleep, &mut self.endpoint, self.clock);
                    let driver = &mut self.drivers[place];
                    let id = driver.id();
                    driver.handle(happened, &mut |at, report| self.endpoint.handle_report(at, id, report));
                }
                input = self.socket.next() => {
                    notice_sleep(&mut self.sleep, &mut self.endpoint, self.clock);
                    self.endpoint.handle_socket(self.clock.now(), input);
                }
                signal = signals.next() => match signal {
                    Signal::Stop(reason) => self.stop(reason),
                    Signal::Reload => drop(self.look(true)),
                    Signal::Woke => handle_wake(&mut self.endpoint, self.clock),
                },
                asked = control::next(self.control.as_mut(), self.clock) => self.handle_asked(asked),
                () = self.configuration.changed() => {
                    self.look_at.get_or_insert(self.clock.now() + EDIT_SETTLES);
                }
                () = self.alarm.ring(due) => {}
            }
            self.handle_time();
        }
    }

    /// What follows from the time alone.
    fn handle_time(&mut self) {
        let now = self.clock.now();
        self.wall.tell(&mut self.endpoint, now);
        notice_sleep(&mut self.sleep, &mut self.endpoint, self.clock);
        for driver in &mut self.drivers {
            driver.handle_timeout(now);
        }
        if self.endpoint.poll_timeout().is_some_and(|due| due <= now) {
            self.endpoint.handle_radio_counters(self.radio_counters());
            self.endpoint.handle_timeout(now);
        }
        self.notify.handle_timeout(now);
        self.log.handle_timeout(now);
        self.handle_learning(now);
        if let Some(control) = &mut self.control {
            control.handle_timeout(now);
        }
        if self.look_at.is_some_and(|at| now >= at) {
            let _ = self.look(false);
        }
    }

    /// What the dongles' sessions have counted, added up by name.
    fn radio_counters(&self) -> Vec<(&'static str, u64)> {
        let mut sums: Vec<(&'static str, u64)> = Vec::new();
        for counters in self.drivers.iter().map(|driver| driver.counters().named()) {
            match sums.as_mut_slice() {
                [] => sums.extend(counters),
                sums => sums.iter_mut().zip(counters).for_each(|(sum, (_, count))| sum.1 += count),
            }
        }
        sums
    }

    fn poll_timeout(&self) -> Option<Time> {
        let control = self.control.as_ref().and_then(Server::poll_timeout);
        let (endpoint, log) = (self.endpoint.poll_timeout(), self.log.poll_timeout());
        let learning = self.learning.poll_timeout(&self.endpoint);
        let ours = [endpoint, self.notify.poll_timeout(), self.look_at, log, control, learning];
        self.drivers.iter().map(Driver::poll_timeout).chain(ours).flatten().min()
    }

    /// Does what the parts want done, and tells how they are.
    fn drain(&mut self) {
        let now = self.clock.now();
        let mut is_news = false;
        for driver in &mut self.drivers {
            while let Some(said) = driver.poll_said() {
                is_news = true;
                match said {
                    Said::State(state) => self.endpoint.handle_adapter(now, state, driver.is_well()),
                    Said::Note(note) => who::log_adapter(driver.id(), &note),
                }
            }
        }
        while let Some(output) = self.endpoint.poll_output(now) {
            is_news |= !matches!(output, Output::Send(_));
            match output {
                Output::Connect => {
                    self.endpoint.handle_addresses(who::addresses());
                    self.socket.connect();
                }
                Output::Send(text) => self.socket.send(text),
                Output::Close { code } => self.socket.close(code),
                Output::ResetAdapters { req } => {
                    let reset = self.drivers.iter_mut().map(|driver| driver.reset(now)).filter(|reset| *reset).count();
                    self.endpoint.handle_reset(now, req, reset > 0);
                }
                Output::Decided(decision) => who::log_decision(&self.labels, &decision),
                Output::Note(note) => who::log_agent(&note),
                Output::Stopped => self.stopped = true,
            }
        }
        // It comes with the time or with an answer, neither of which says so.
        let was_overdue = std::mem::replace(&mut self.overdue, self.endpoint.is_agent_overdue());
        is_news |= self.overdue != was_overdue;
        // Now, rather than when the loop comes round to the socket: a tap must not wait.
        self.socket.flush();
        if is_news {
            self.notify.status(self.endpoint.health());
        }
    }

    /// Releases the ports at once and lets the agent know.
    fn stop(&mut self, reason: &'static str) {
        log::entry!(info, Entry::Stopping, "stopping: {reason}");
        (self.stopping, self.look_at) = (true, None);
        self.notify.stopping();
        for driver in &mut self.drivers {
            driver.stop();
        }
        self.drivers.clear();
        self.keep_learnt(self.clock.now());
        self.endpoint.stop(self.clock.now(), reason);
    }

    /// Looks at the configuration file and takes over what is new and good; says what that is, or what is wrong.
    fn look(&mut self, insist: bool) -> Result<Reload, Refusal> {
        self.look_at = None;
        if self.stopping {
            return Err(Refusal::new(Code::Stopping, "the daemon is about to end", "start it again"));
        }
        let now = self.clock.now();
        let looked = match self.configuration.look(insist, |config| Agent::of(config, &self.machine)) {
            Look::Unchanged => Ok(self.reload(&[], Vec::new(), false)),
            Look::Rejected { diagnostics, reason, told } => {
                diagnostics.iter().for_each(who::log_diagnostic);
                if !told {
                    log::entry!(error, target: log::CONFIG, Entry::ConfigMistake, "{reason}");
                }
                log::entry!(error, target: log::CONFIG, Entry::ConfigRejected, "the configuration has mistakes: nothing is changed");
                let refusal = control::refusal(&diagnostics, (!told).then_some(&reason));
                self.rejected = Some(reason.clone());
                self.endpoint.handle_rejected(now, reason);
                Err(refusal)
            }
            Look::Changed { change, diagnostics, ready, before, gone: None, file }
                if change.is_empty() && ready == self.agent && self.rejected.is_none() =>
            {
                self.state.keep_soon(file);
                diagnostics.iter().for_each(who::log_diagnostic);
                tracing::info!(target: log::CONFIG, "nothing in the configuration has changed");
                Ok(self.reload(&before, diagnostics, false))
            }
            Look::Changed { change, diagnostics, before, ready, gone, file } => {
                self.state.keep_soon(file);
                if let Some(gone) = gone {
                    log::entry!(warn, target: log::CONFIG, Entry::ConfigGone, "{} is gone: the defaults hold", gone.display());
                }
                diagnostics.iter().for_each(who::log_diagnostic);
                let rejoins = ready != self.agent;
                let reload = self.reload(&before, diagnostics, rejoins);
                reload.changed.iter().for_each(|changed| tracing::info!(target: log::CONFIG, "{changed}"));
                self.rejected = None;
                let config = self.configuration.config();
                self.endpoint.handle_settings(now, Settings::from(config));
                self.labels.show_addresses(config.log.show_addresses);
                self.log.configure(log::Levels::from(&config.log));
                if change.adapters || change.scan {
                    self.follow_adapters(now);
                }
                if rejoins {
                    self.follow_agent(now, ready);
                }
                self.recall(now);
                log::entry!(info, target: log::CONFIG, Entry::ConfigReloaded, config = %self.endpoint.config(), "configuration reloaded");
                Ok(Reload { digest: self.endpoint.config().to_string(), ..reload })
            }
        };
        self.notify.status(self.endpoint.health());
        looked
    }

    /// Goes over to the agent that the configuration names now, or to the same with another token.
    fn follow_agent(&mut self, now: Time, agent: Agent) {
        self.endpoint.handle_identity(now, agent.identity(String::new()));
        // The old socket is closed before it is dropped.
        self.drain();
        self.socket = Socket::new(agent.target.clone());
        self.agent = agent;
    }
}

/// Tells the endpoint if the machine slept, before anything that happened since is handed in.
fn notice_sleep(sleep: &mut SleepWatch, endpoint: &mut Endpoint, clock: Clock) {
    if sleep.woke() {
        handle_wake(endpoint, clock);
    }
}

fn handle_wake(endpoint: &mut Endpoint, clock: Clock) {
    log::entry!(info, Entry::Slept, "the machine slept");
    endpoint.handle_wake(clock.now());
}

/// Where wishes to stop or reload come from.
pub trait AsyncSignals {
    /// Waits for the next wish; may be dropped and called again at any time.
    fn next(&mut self) -> impl Future<Output = Signal>;
}

impl AsyncSignals for Signals {
    fn next(&mut self) -> impl Future<Output = Signal> {
        Signals::next(self)
    }
}
