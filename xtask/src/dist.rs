//! Everything of a release, into `target/dist`: the same bytes from the same commit, wherever it is built.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{TaskError, output, run};
use crate::{assets, packages, sbom};

/// What the packages are made of: for glibc, as distributions have it.
const GNU: &str = "x86_64-unknown-linux-gnu";
/// What needs nothing of the system: for thin clients and old distributions.
const MUSL: &str = "x86_64-unknown-linux-musl";

/// What a build may lack.
const NEEDED: &str = "  it needs: cargo install --locked cargo-auditable; for the static program also
  rustup target add x86_64-unknown-linux-musl; apt-get install musl-tools";

/// What goes into an archive beside the program, and where.
const BESIDE: &[(&str, &str)] = &[
    ("LICENSE", ""),
    ("README.md", ""),
    ("CHANGELOG.md", ""),
    ("nbe.default.toml", ""),
    ("target/assets/third-party.txt", ""),
    ("docs", ""),
    ("fixtures/scenarios", "fixtures"),
    ("packaging/thin-clients", "packaging"),
    ("target/assets/man", ""),
    ("target/assets/completions", ""),
    ("packaging/linux/nbe.service", "linux"),
    ("packaging/linux/nbe-config.path", "linux"),
    ("packaging/linux/nbe.sysusers", "linux"),
    ("packaging/linux/nbe.modules-load", "linux"),
    ("packaging/linux/nbe.catalog", "linux"),
    ("packaging/linux/70-nbe.rules", "linux"),
    ("packaging/linux/central-agent.conf", "linux"),
];

/// A release being built.
pub(crate) struct Release {
    root: PathBuf,
    /// Where its artefacts come to lie.
    pub(crate) dist: PathBuf,
    /// The program's, and whether what was built is no commit.
    pub(crate) version: String,
    /// Seconds since 1970 at the commit: the age of everything in it.
    epoch: String,
}

/// Builds all artefacts and writes their sums.
pub(crate) fn all(root: &Path) -> Result<(), TaskError> {
    let release = Release::new(root)?;
    assets::write(root)?;
    for target in [GNU, MUSL] {
        release.build(target)?;
        release.archive(target)?;
        sbom::write(&release, target)?;
    }
    packages::released(&release, GNU)?;
    release.sums()
}

impl Release {
    fn new(root: &Path) -> Result<Self, TaskError> {
        let git = |arguments: &[&str]| output(Command::new("git").current_dir(root).args(arguments));
        let epoch = match env::var("SOURCE_DATE_EPOCH") {
            Ok(epoch) => epoch,
            Err(_) => git(&["log", "-1", "--format=%ct"])?.trim().to_owned(),
        };
        let mut version = env!("CARGO_PKG_VERSION").to_owned();
        let changed = git(&["status", "--porcelain"])?;
        if !changed.is_empty() {
            eprint!("warning: not what is committed, and named so:\n{changed}");
            version.push_str("+dirty");
        }
        let dist = root.join("target/dist");
        // What an earlier version left is no part of this one.
        if dist.exists() {
            fs::remove_dir_all(&dist)?;
        }
        fs::create_dir_all(&dist)?;
        Ok(Self { root: root.to_owned(), dist, version, epoch })
    }

    /// A command in the workspace under which the same input gives the same bytes.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command.env("SOURCE_DATE_EPOCH", &self.epoch).env("LC_ALL", "C").env("TZ", "UTC");
        command.env("CARGO_TARGET_DIR", self.root.join("target"));
        command
    }

    /// The folder of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A version that packages have to be given, when it is not the one in Cargo.toml.
    pub(crate) fn own_version(&self) -> Option<String> {
        (self.version != env!("CARGO_PKG_VERSION")).then(|| format!("{}-1", self.version))
    }

    fn program(&self, target: &str) -> PathBuf {
        self.root.join("target").join(target).join("release/nbe")
    }

    /// Builds the program with the list of its libraries inside, and without a trace of where it was built.
    fn build(&self, target: &str) -> Result<(), TaskError> {
        let sysroot = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
        let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo_home = cargo_home.or_else(|| Some(env::home_dir()?.join(".cargo"))).unwrap_or_default();
        let compiler = output(Command::new("rustc").arg("-vV"))?;
        let commit = compiler.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or_default();
        // Where the source of the standard library is installed, the compiler would name the place.
        let library = sysroot.join("lib/rustlib/src/rust");
        let library_name = format!("/rustc/{commit}");
        let places = [(self.root(), "/nbe"), (&cargo_home, "/cargo"), (&library, library_name.as_str())];
        let mut command = self.command("cargo");
        command.args(["auditable", "build", "--release", "--locked", "--package", "nbe", "--target", target]);
        command.env_remove("RUSTFLAGS");
        command.env("CARGO_ENCODED_RUSTFLAGS", remapped(&places, "--remap-path-prefix=", "\u{1f}"));
        command.env("CFLAGS", remapped(&places, "-ffile-prefix-map=", " "));
        // Each package would strip in its own way.
        command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
        if target == MUSL {
            command.env("CC_x86_64_unknown_linux_musl", "musl-gcc");
        }
        run(&mut command, "").inspect_err(|_| eprintln!("{NEEDED}"))
    }

    /// Packs the program built for `target` with what belongs to it.
    fn archive(&self, target: &str) -> Result<(), TaskError> {
        let name = format!("nbe-{}-{target}", self.version);
        let stage = self.root.join("target/archive");
        let folder = stage.join(&name);
        if stage.exists() {
            fs::remove_dir_all(&stage)?;
        }
        fs::create_dir_all(&folder)?;
        fs::copy(self.program(target), folder.join("nbe"))?;
        for (from, to) in BESIDE {
            let from = self.root.join(from);
            let to = folder.join(to);
            fs::create_dir_all(&to)?;
            copy(&from, &to.join(from.file_name().unwrap_or_default()))?;
        }
        let archive = self.dist.join(format!("{name}.tar"));
        let mut tar = self.command("tar");
        tar.args(["--create", "--format=ustar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
        tar.args(["--mode=u=rwX,go=rX", &format!("--mtime=@{}", self.epoch)]);
        tar.arg("--file").arg(&archive).arg("--directory").arg(&stage).arg(&name);
        run(&mut tar, "")?;
        run(self.command("gzip").args(["-9", "--no-name"]).arg(&archive), "")
    }

    /// Writes SHA256SUMS over all that is there.
    fn sums(&self) -> Result<(), TaskError> {
        let mut names: Vec<OsString> =
            fs::read_dir(&self.dist)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
        names.sort();
        let sums = output(self.command("sha256sum").current_dir(&self.dist).args(names))?;
        print!("{sums}");
        Ok(fs::write(self.dist.join("SHA256SUMS"), sums)?)
    }
}

/// A compiler's options that put a name in the place of each path.
fn remapped(places: &[(&Path, &str)], option: &str, between: &str) -> String {
    let options: Vec<String> = places.iter().map(|(path, name)| format!("{option}{}={name}", path.display())).collect();
    options.join(between)
}

/// A file, or a folder with all in it.
fn copy(from: &Path, to: &Path) -> Result<(), TaskError> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
