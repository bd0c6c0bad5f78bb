//! A named pipe, which stands for a port where there are no pseudo-terminals.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::Place;
use crate::simulate::error::SimulateError;

/// How much may lie unread at the host before the dongle has to keep it, in bytes: as much as behind a terminal.
const UNREAD: u32 = 2048;

/// What every pipe's name begins with.
const PREFIX: &str = r"\\.\pipe\";

/// The dongle's end of the pipe.
#[derive(Debug)]
pub(in crate::simulate) struct Port {
    name: OsString,
    /// `None` once a host has left: the next one gets a new pipe, in which nothing of the last one's is left.
    pipe: Option<NamedPipeServer>,
    has_host: bool,
}

impl Port {
    /// Takes the host's bytes, none if there are none.
    pub(in crate::simulate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.carry(|pipe| pipe.try_read(buffer))
    }

    /// Gives the host bytes; how many it could take.
    pub(in crate::simulate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.carry(|pipe| pipe.try_write(bytes))
    }

    /// Whether a program has the pipe open.
    pub(in crate::simulate) fn has_host(&mut self) -> io::Result<bool> {
        Ok(self.has_host)
    }

    /// Nothing moves when there is nothing to move, or no host any more.
    fn carry(&mut self, bytes: impl FnOnce(&NamedPipeServer) -> io::Result<usize>) -> io::Result<usize> {
        let Some(pipe) = self.pipe.as_ref().filter(|_| self.has_host) else { return Ok(0) };
        match bytes(pipe) {
            Ok(bytes @ 1..) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Ok(0) | Err(_) => {
                (self.pipe, self.has_host) = (None, false);
                Ok(0)
            }
        }
    }

    /// Waits for a host, or for its bytes if they are wanted.
    async fn next(&mut self, wants_bytes: bool) -> io::Result<()> {
        let pipe = match &mut self.pipe {
            Some(pipe) => pipe,
            None => self.pipe.insert(options().create(&self.name)?),
        };
        if !self.has_host {
            pipe.connect().await?;
            self.has_host = true;
        } else if wants_bytes {
            pipe.readable().await?;
        } else {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn options() -> ServerOptions {
    let mut options = ServerOptions::new();
    options.out_buffer_size(UNREAD);
    options
}

#[derive(Debug, Default)]
struct Bell {
    rings: Notify,
    is_over: AtomicBool,
}

/// Wakes the thread; when it is dropped the thread ends.
#[derive(Debug)]
pub(in crate::simulate) struct Ringer(Arc<Bell>);

impl Ringer {
    pub(in crate::simulate) fn ring(&self) {
        self.0.rings.notify_one();
    }
}

impl Drop for Ringer {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Release);
        self.ring();
    }
}

/// What the thread waits with: a runtime of its own, which drives the pipe.
#[derive(Debug)]
pub(in crate::simulate) struct Waiter {
    bell: Arc<Bell>,
    /// `None` only once it is dropped.
    runtime: Option<Runtime>,
}

impl Waiter {
    pub(in crate::simulate) fn new() -> io::Result<(Self, Ringer)> {
        let bell = Arc::new(Bell::default());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok((Self { bell: bell.clone(), runtime: Some(runtime) }, Ringer(bell)))
    }

    /// Opens the port, under another name if there is one.
    pub(in crate::simulate) fn open(&self, place: &Place, name: Option<&Path>) -> Result<Port, SimulateError> {
        let Place::Link(pipe) = place;
        let given = name.map_or_else(
            || pipe.as_os_str().to_owned(),
            |name| OsString::from_iter([PREFIX.as_ref(), name.as_os_str()]),
        );
        let failed = |source| SimulateError::Pipe { name: given.clone().into(), source };
        if !given.to_string_lossy().starts_with(PREFIX) {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("it does not begin with {PREFIX}"),
            )));
        }
        let _inside = self.runtime.as_ref().map(Runtime::enter);
        let pipe = options().first_pipe_instance(true).create(&given).map_err(failed)?;
        Ok(Port { name: given, pipe: Some(pipe), has_host: false })
    }

    /// Sleeps until the port has something, the thread is woken, or the time is over. False when the thread is to end.
    pub(in crate::simulate) fn wait(
        &mut self,
        port: Option<&mut Port>,
        wants_bytes: bool,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let Self { bell, runtime: Some(runtime) } = self else { return Ok(false) };
        let next = async {
            match port {
                Some(port) => port.next(wants_bytes).await,
                None => std::future::pending().await,
            }
        };
        let over = async {
            match timeout {
                Some(span) => tokio::time::sleep(span).await,
                None => std::future::pending().await,
            }
        };
        runtime.block_on(async {
            tokio::select! {
                () = bell.rings.notified() => Ok(()),
                next = next => next,
                () = over => Ok(()),
            }
        })?;
        Ok(!bell.is_over.load(Ordering::Acquire))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // A failed start drops it inside another runtime, where nothing may be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::path::Path;
    use std::time::Instant;

    use crate::simulate::{Scenario, VirtualDongle};

    #[test]
    fn one_host_after_another_is_answered() {
        let name = format!(r"\\.\pipe\nbe-test-{}-hosts", std::process::id());
        let dongle = VirtualDongle::spawn(Path::new(&name), &Scenario::default(), 1).unwrap();
        for _ in 0..3 {
            let since = Instant::now();
            let mut host = loop {
                // The pipe of the host before is gone, and the new one may not be there yet.
                match File::options().read(true).write(true).open(&name) {
                    Ok(host) => break host,
                    Err(error) => assert!(since.elapsed().as_secs() < 10, "{error}"),
                }
            };
            // system_hello and its response.
            host.write_all(&[0, 0, 0, 1]).unwrap();
            let mut said = [0; 4];
            host.read_exact(&mut said).unwrap();
            assert_eq!(said, [0, 0, 0, 1]);
        }
        dongle.stop().unwrap();
    }
}
