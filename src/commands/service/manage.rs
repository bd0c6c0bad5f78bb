//! What is asked of the service manager.

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use windows_registry::LOCAL_MACHINE;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceSidType, ServiceStartType, ServiceState,
    ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::folders;
use crate::failure::{Failure, exit};
use crate::service::windows::NAME;

/// The account, which Windows makes for the service alone.
pub(super) const ACCOUNT: &str = r"NT SERVICE\nbe";

const DISPLAY_NAME: &str = "nbe Bluetooth endpoint";
const DESCRIPTION: &str = "Turns the signal strength of wrist bands into taps and trends, for an agent.";

/// Waits before a service that has failed is started again, the last one from then on.
const RECOVERY: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60)];

/// After how long without a failure the first wait holds again.
const RECOVERED_AFTER: Duration = Duration::from_secs(3600);

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look whether it is done: the service manager tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where the event log's sources are registered.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";

/// A part of Windows that has a text for each event id from 1 to 1000: the event's own.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";

/// ERROR_ACCESS_DENIED
const DENIED: i32 = 5;
/// ERROR_INVALID_LEVEL: a setting that this version does not know
const UNKNOWN: i32 = 124;
/// ERROR_SERVICE_ALREADY_RUNNING
const RUNNING: i32 = 1056;
/// ERROR_SERVICE_DOES_NOT_EXIST
const ABSENT: i32 = 1060;
/// ERROR_SERVICE_CANNOT_ACCEPT_CTRL: it is starting or stopping
const BUSY: i32 = 1061;
/// ERROR_SERVICE_NOT_ACTIVE
const NOT_RUNNING: i32 = 1062;
/// ERROR_SERVICE_MARKED_FOR_DELETE
const MARKED: i32 = 1072;

pub(super) fn install(agent_url: Option<&str>) -> Result<ExitCode, Failure> {
    if let Some(url) = agent_url {
        folders::check_agent_url(url)?;
    }
    let program = std::env::current_exe()?;
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let mut info = ServiceInfo {
        name: NAME.into(),
        display_name: DISPLAY_NAME.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program.clone(),
        launch_arguments: vec!["service".into(), "run".into()],
        dependencies: Vec::new(),
        account_name: Some(ACCOUNT.into()),
        account_password: None,
    };
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::QUERY_CONFIG;
    let service = match manager.open_service(NAME, access) {
        Ok(service) => {
            // Whether it starts with Windows is the administrator's to say, once it is installed.
            let config = service.query_config().map_err(|error| failed("ask for the service", error))?;
            info.start_type = config.start_type;
            service.change_config(&info).map_err(|error| failed("change the service", error))?;
            service
        }
        Err(error) if code(&error) == Some(ABSENT) => {
            manager.create_service(&info, access).map_err(|error| failed("create the service", error))?
        }
        Err(error) => return Err(failed("open the service", error)),
    };
    settle(&service)?;
    register_source()
        .map_err(|error| Failure::new(exit::FOUND, format!("cannot register with the event log: {error}")))?;
    folders::make(Path::new(folders::ROOT), agent_url)?;
    println!("The service {NAME} is installed: {}", program.display());
    println!("It starts with Windows; `nbe service start` starts it now.");
    Ok(ExitCode::SUCCESS)
}

/// Description, account and recovery, which are set apart from the rest.
fn settle(service: &Service) -> Result<(), Failure> {
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    let recovery = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(RECOVERED_AFTER),
        reboot_msg: None,
        command: None,
        actions: Some(RECOVERY.map(restart).to_vec()),
    };
    let settings = [
        ("a description", service.set_description(DESCRIPTION)),
        ("a start without delay", service.set_delayed_auto_start(false)),
        ("a security id of its own", service.set_config_service_sid_info(ServiceSidType::Unrestricted)),
        ("recovery actions", service.update_failure_actions(recovery)),
        // Only a configuration error ends the service by saying so: that one is to stay ended, and every other end is
        // one that it does not live to announce.
        ("recovery from crashes alone", service.set_failure_actions_on_non_crash_failures(false)),
    ];
    for (what, done) in settings {
        match done {
            Ok(()) => {}
            Err(error) if code(&error) == Some(UNKNOWN) => {
                eprintln!("warning: this Windows cannot give a service {what}");
            }
            Err(error) => return Err(failed(&format!("give the service {what}"), error)),
        }
    }
    Ok(())
}

fn register_source() -> windows_registry::Result<()> {
    let source = LOCAL_MACHINE.create(format!(r"{SOURCES}\{NAME}"))?;
    source.set_expand_string("EventMessageFile", MESSAGES)?;
    // Errors, warnings, information.
    source.set_u32("TypesSupported", 7)
}

pub(super) fn uninstall() -> Result<ExitCode, Failure> {
    let access = ServiceAccess::STOP | ServiceAccess::QUERY_STATUS | ServiceAccess::DELETE;
    let Some(service) = open(access)? else {
        println!("The service {NAME} is not installed.");
        return Ok(ExitCode::SUCCESS);
    };
    let halted = halt(&service);
    match service.delete() {
        Ok(()) => {}
        Err(error) if code(&error) == Some(MARKED) => {}
        Err(error) => return Err(failed("remove the service", error)),
    }
    // A source that is gone already is no reason to stop here.
    let _ = LOCAL_MACHINE.open(SOURCES).and_then(|sources| sources.remove_tree(NAME));
    halted?;
    println!("The service {NAME} is removed. What is configured stays: {}", folders::ROOT);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn start() -> Result<ExitCode, Failure> {
    let service = installed(ServiceAccess::START | ServiceAccess::QUERY_STATUS)?;
    match service.start::<&str>(&[]) {
        Ok(()) => {}
        Err(error) if code(&error) == Some(RUNNING) => {}
        Err(error) => return Err(failed("start the service", error)),
    }
    let (state, ended_with) = settled(&service, ServiceState::StartPending)?;
    if state == ServiceState::Running {
        println!("The service {NAME} runs.");
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(
        if ended_with == ServiceExitCode::ServiceSpecific(exit::CONFIG.into()) { exit::CONFIG } else { exit::FOUND },
        format!("the service {NAME} did not stay up: {}", ending(ended_with)),
    )
    .advise("`nbe check` lists mistakes of the configuration; the event log tells the rest: Application, source nbe"))
}

pub(super) fn stop() -> Result<ExitCode, Failure> {
    let service = installed(ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?;
    halt(&service)?;
    println!("The service {NAME} has stopped.");
    Ok(ExitCode::SUCCESS)
}

pub(super) fn status() -> Result<ExitCode, Failure> {
    let Some(service) = open(ServiceAccess::QUERY_STATUS | ServiceAccess::QUERY_CONFIG)? else {
        println!("The service {NAME} is not installed; `nbe service install` installs it.");
        return Ok(ExitCode::from(exit::FOUND));
    };
    let status = service.query_status().map_err(|error| failed("ask for the service", error))?;
    let config = service.query_config().map_err(|error| failed("ask for the service", error))?;
    let state = match status.current_state {
        ServiceState::Running => "runs".to_owned(),
        ServiceState::StartPending => "is starting".to_owned(),
        ServiceState::StopPending => "is stopping".to_owned(),
        ServiceState::Stopped => format!("does not run: {}", ending(status.exit_code)),
        other => format!("is in the state {other:?}"),
    };
    let process = status.process_id.map(|id| format!(" (process {id})")).unwrap_or_default();
    let start = match config.start_type {
        ServiceStartType::AutoStart => "with Windows",
        ServiceStartType::Disabled => "never: it is disabled",
        _ => "when somebody starts it",
    };
    println!("The service {NAME} {state}{process}.");
    println!("  starts    {start}");
    println!("  account   {}", config.account_name.unwrap_or_default().display());
    println!("  command   {}", config.executable_path.display());
    let runs = status.current_state == ServiceState::Running;
    Ok(if runs { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) })
}

/// How the service ended, as the end of a sentence.
fn ending(code: ServiceExitCode) -> String {
    match code {
        ServiceExitCode::Win32(0) => "it was stopped".to_owned(),
        // ERROR_SERVICE_NEVER_STARTED
        ServiceExitCode::Win32(1077) => "it has not been started since Windows was".to_owned(),
        ServiceExitCode::ServiceSpecific(code) if code == u32::from(exit::CONFIG) => {
            "the configuration has mistakes".to_owned()
        }
        ServiceExitCode::ServiceSpecific(code) => format!("it ended with code {code}"),
        ServiceExitCode::Win32(code) => format!("it ended with Windows error {code}"),
    }
}

/// Stops the service if it runs, and waits until it has.
fn halt(service: &Service) -> Result<(), Failure> {
    let mut stopped = service.stop();
    if stopped.as_ref().is_err_and(|error| code(error) == Some(BUSY)) {
        settled(service, ServiceState::StartPending)?;
        stopped = service.stop();
    }
    match stopped {
        Ok(_) => {}
        Err(error) if code(&error) == Some(NOT_RUNNING) => return Ok(()),
        Err(error) if code(&error) == Some(BUSY) => {}
        Err(error) => return Err(failed("stop the service", error)),
    }
    match settled(service, ServiceState::StopPending)?.0 {
        ServiceState::Stopped => Ok(()),
        state => Err(Failure::new(exit::FOUND, format!("the service {NAME} does not stop: its state is {state:?}"))
            .advise("end its process in the Task Manager, and report what the event log says")),
    }
}

/// Waits until the service is no longer on its way, and says in which state it is and how it ended.
fn settled(service: &Service, on_its_way: ServiceState) -> Result<(ServiceState, ServiceExitCode), Failure> {
    let since = Instant::now();
    loop {
        let status = service.query_status().map_err(|error| failed("ask for the service", error))?;
        let is_coming = on_its_way == ServiceState::StopPending && status.current_state == ServiceState::Running;
        let is_over = status.current_state != on_its_way && !is_coming;
        if is_over || since.elapsed() > PATIENCE {
            return Ok((status.current_state, status.exit_code));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn installed(access: ServiceAccess) -> Result<Service, Failure> {
    open(access)?.ok_or_else(|| {
        Failure::new(exit::FOUND, format!("the service {NAME} is not installed"))
            .advise("`nbe service install` installs it")
    })
}

/// The service, if there is one.
fn open(access: ServiceAccess) -> Result<Option<Service>, Failure> {
    match manager(ServiceManagerAccess::CONNECT)?.open_service(NAME, access) {
        Ok(service) => Ok(Some(service)),
        Err(error) if code(&error) == Some(ABSENT) => Ok(None),
        Err(error) => Err(failed("open the service", error)),
    }
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, Failure> {
    ServiceManager::local_computer(None::<&str>, access).map_err(|error| failed("talk to the service manager", error))
}

fn code(error: &windows_service::Error) -> Option<i32> {
    match error {
        windows_service::Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    }
}

fn failed(what: &str, error: windows_service::Error) -> Failure {
    let why = match &error {
        windows_service::Error::Winapi(error) => error.to_string(),
        error => error.to_string(),
    };
    match code(&error) {
        Some(DENIED) => Failure::new(exit::NO_PERMISSION, format!("no permission to {what}: {why}"))
            .advise("do this at a prompt run as administrator"),
        Some(MARKED) => Failure::new(exit::FOUND, format!("cannot {what}: it is being removed"))
            .advise("close the windows that show services, then try again"),
        _ => Failure::new(exit::FOUND, format!("cannot {what}: {why}")),
    }
}
