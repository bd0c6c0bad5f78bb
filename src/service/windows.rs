//! The daemon as a service of Windows: what the service manager wants, and what it is told.

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nbe_windows::{EventSource, Severity};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use windows_service::service::{
    PowerEventParam, ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::{define_windows_service, service_dispatcher};

use super::{AsyncSignals, Options, Service, Signal};
use crate::commands::run;
use crate::failure::{Failure, exit};
use crate::log::{self, Entry};

/// The service's name, under which the event log knows it too.
pub const NAME: &str = "nbe";

/// How long a start or a stop may take before the service manager thinks that it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

define_windows_service!(service_main, main);

/// Runs the daemon for the service manager, until that says to stop.
///
/// # Errors
/// If this program was not started by the service manager.
pub fn dispatch() -> Result<(), Failure> {
    service_dispatcher::start(NAME, service_main).map_err(|error| {
        Failure::new(exit::USAGE, format!("this program was not started by the service manager: {error}"))
            .advise("`nbe service start` starts the service, `nbe run` runs the daemon at this prompt")
    })
}

/// What the service manager calls, in a thread of its own.
fn main(_: Vec<OsString>) {
    log::use_event_log();
    let (said, wishes) = unbounded_channel();
    let handle = Arc::new(OnceLock::new());
    let told = Arc::clone(&handle);
    let registered = service_control_handler::register(NAME, move |control| {
        // Before this returns: no control may follow a stop, for the library forgets this function then.
        if let (ServiceControl::Stop | ServiceControl::Shutdown, Some(handle)) = (&control, told.get()) {
            Manager(*handle).tell(ServiceState::StopPending, ServiceExitCode::NO_ERROR);
        }
        let wish = match control {
            ServiceControl::Stop => Signal::Stop("the service manager says so"),
            ServiceControl::Shutdown => Signal::Stop("the machine shuts down"),
            ServiceControl::ParamChange => Signal::Reload,
            ServiceControl::PowerEvent(PowerEventParam::ResumeAutomatic) => Signal::Woke,
            ServiceControl::Interrogate | ServiceControl::PowerEvent(_) => return ServiceControlHandlerResult::NoError,
            _ => return ServiceControlHandlerResult::NotImplemented,
        };
        // Nobody listens any more while it stops.
        let _ = said.send(wish);
        ServiceControlHandlerResult::NoError
    });
    let manager = match registered {
        Ok(registered) => Manager(*handle.get_or_init(|| registered)),
        Err(error) => return report(Entry::Stopping, &format!("the service manager does not answer: {error}")),
    };
    manager.tell(ServiceState::StartPending, ServiceExitCode::NO_ERROR);
    match serve(&manager, wishes) {
        Ok(()) => manager.tell(ServiceState::Stopped, ServiceExitCode::NO_ERROR),
        Err(failure) => {
            let code = failure.code();
            let is_configuration = code == exit::CONFIG;
            let entry = if is_configuration { Entry::ConfigMistake } else { Entry::Stopping };
            report(entry, &failure.one_line());
            if !is_configuration {
                // An end of the process that was not announced is what the recovery actions follow.
                std::process::exit(code.into());
            }
            manager.tell(ServiceState::Stopped, ServiceExitCode::ServiceSpecific(code.into()));
        }
    }
}

fn serve(manager: &Manager, wishes: UnboundedReceiver<Signal>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let service = Service::new(Options { own_log: true, ..run::installed() })?;
        manager.tell(ServiceState::Running, ServiceExitCode::NO_ERROR);
        run::say_outcome(service.run(Wishes(wishes)).await);
        Ok(())
    });
    runtime.shutdown_background();
    done
}

/// The service manager, which is told how it goes.
struct Manager(ServiceStatusHandle);

impl Manager {
    fn tell(&self, state: ServiceState, exit_code: ServiceExitCode) {
        let is_pending = matches!(state, ServiceState::StartPending | ServiceState::StopPending);
        let controls_accepted = match state {
            ServiceState::Running => {
                ServiceControlAccept::STOP
                    | ServiceControlAccept::SHUTDOWN
                    | ServiceControlAccept::PARAM_CHANGE
                    | ServiceControlAccept::POWER_EVENT
            }
            _ => ServiceControlAccept::empty(),
        };
        let told = self.0.set_service_status(ServiceStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: state,
            controls_accepted,
            exit_code,
            checkpoint: u32::from(is_pending),
            wait_hint: if is_pending { PATIENCE } else { Duration::ZERO },
            process_id: None,
        });
        if let Err(error) = told {
            tracing::warn!("the service manager does not listen: {error}");
        }
    }
}

/// What the service manager wants, passed on.
struct Wishes(UnboundedReceiver<Signal>);

impl AsyncSignals for Wishes {
    async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(wish) => wish,
            None => std::future::pending().await,
        }
    }
}

/// Says what the log cannot: it begins only once there is a configuration.
fn report(entry: Entry, text: &str) {
    if let Ok(source) = EventSource::open(NAME) {
        // There is nobody left to tell if that fails.
        let _ = source.report(Severity::Error, entry.number().into(), text);
    }
}
