//! A real daemon in a folder of its own, and somebody who asks at its control socket.

#![allow(dead_code)] // each test file uses a part of it

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a busy machine; every wait ends as soon as what it waits for is there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The program, with nothing of the environment that matters to it.
pub(crate) fn nbe(program: &Path) -> Command {
    let mut command = Command::new(program);
    for name in ["NBE_CONFIG", "STATE_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "NOTIFY_SOCKET"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_nbe"))
}

/// The same program with the same words, run by another.
pub(crate) fn through(mut outer: Command, inner: &Command) -> Command {
    outer.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

/// A program whose lines are read, ended with the test.
pub(crate) struct Program {
    pub(crate) child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Program {
    pub(crate) fn start(command: &mut Command, from_stdout: bool) -> Self {
        let (stdout, stderr) =
            if from_stdout { (Stdio::piped(), Stdio::null()) } else { (Stdio::null(), Stdio::piped()) };
        let mut child = command.stdout(stdout).stderr(stderr).spawn().unwrap();
        let output: Box<dyn std::io::Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), _) => Box::new(stdout),
            (None, stderr) => Box::new(stderr.unwrap()),
        };
        let (send, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self { child, lines, seen: String::new() }
    }

    pub(crate) fn expect(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|error| panic!("no {words:?}: {error}; seen:\n{}", self.seen));
            self.seen += &format!("{line}\n");
            if line.contains(words) {
                return;
            }
        }
    }

    /// Waits for all of these, in whatever order.
    pub(crate) fn expect_each(&mut self, all: &[&str]) {
        for words in all {
            if !self.seen.contains(words) {
                self.expect(words);
            }
        }
    }

    /// How many of the lines read so far say this.
    pub(crate) fn count(&mut self, words: &str) -> usize {
        while let Ok(line) = self.lines.try_recv() {
            self.seen += &format!("{line}\n");
        }
        self.seen.lines().filter(|line| line.contains(words)).count()
    }

    /// Reads to the end and says how the program ended, with all it said.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen += &format!("{line}\n");
        }
        (self.child.wait().unwrap(), std::mem::take(&mut self.seen))
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.seen);
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a configuration, a place for a dongle and one for the socket.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    /// An agent that nobody plays, unless a test does.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.configure("ws://127.0.0.1:1/socket/websocket", "");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("control.sock")
    }

    pub(crate) fn configure(&self, agent_url: &str, keys: &str) {
        fs::write(self.path("nbe.toml.new"), format!("agent_url = \"{agent_url}\"\n{keys}\n")).unwrap();
        fs::rename(self.path("nbe.toml.new"), self.path("nbe.toml")).unwrap();
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = nbe(program());
        command.env("RUNTIME_DIRECTORY", self.folder.path()).arg("run");
        command.arg("--config").arg(self.path("nbe.toml")).arg("--port").arg(self.path("dongle"));
        command
    }

    /// A daemon that has started.
    pub(crate) fn daemon(&self) -> Program {
        let mut daemon = Program::start(&mut self.command(), false);
        daemon.expect("started");
        daemon
    }

    /// What a command prints, and how it ends.
    pub(crate) fn nbe(&self, words: &[&str]) -> Output {
        nbe(program()).args(words).arg("--socket").arg(self.socket()).output().unwrap()
    }

    pub(crate) fn connect(&self) -> Asker {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Asker { lines: BufReader::new(stream) }
    }

    pub(crate) fn status(&self) -> Value {
        let mut status = self.connect().ask(r#"{"v":1,"cmd":"status"}"#);
        status["ok"].take()
    }
}

/// Somebody who asks line by line.
pub(crate) struct Asker {
    pub(crate) lines: BufReader<UnixStream>,
}

impl Asker {
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.lines.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub(crate) fn ask(&mut self, line: &str) -> Value {
        self.say(format!("{line}\n").as_bytes());
        self.hear()
    }
}
