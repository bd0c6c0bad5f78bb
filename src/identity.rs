//! Who this endpoint is: an id that outlives restarts, a boot id that does not, and names for bands in logs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bgapi::Address;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What the machine's own id is hashed with, so that the endpoint's id does not give it away.
const ENDPOINT_KEY: &[u8] = b"nbe endpoint id, version 1";

/// What the machine's own id is hashed with to make the key of its logs' band names.
const LABEL_KEY: &[u8] = b"nbe band labels, version 1";

/// The file in the state directory that keeps the endpoint's id.
const FILE: &str = "endpoint_id";

/// An endpoint's id: a UUID, an identifier and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointId(String);

impl EndpointId {
    /// The id given in nbe.toml.
    pub fn given(uuid: &config::Uuid) -> Self {
        Self(uuid.to_string())
    }

    /// The id of this machine: derived from the machine's own id; kept in the state directory where there is one, and
    /// taken from there only while the machine's id is the same, so that a copied disk does not bring it along.
    ///
    /// # Errors
    /// If no random bytes can be had for a machine without an id.
    pub fn of_machine(machine_id: Option<&str>, state: Option<&Path>) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        match machine_id {
            Some(machine_id) => bytes.copy_from_slice(&keyed(ENDPOINT_KEY, machine_id.trim().as_bytes())[..16]),
            None => match state.and_then(|state| Self::kept(&state.join(FILE))) {
                Some(kept) => return Ok(kept),
                None => getrandom::fill(&mut bytes)?,
            },
        }
        Ok(Self::from_bytes(bytes))
    }

    fn kept(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        text.trim().parse::<config::Uuid>().ok().map(|uuid| Self::given(&uuid))
    }

    /// Keeps the id for a start on which the machine's own cannot be read, and for people who look.
    ///
    /// # Errors
    /// If the state directory cannot be written.
    pub fn keep(&self, state: &Path) -> io::Result<()> {
        let file = state.join(FILE);
        if fs::read_to_string(&file).is_ok_and(|kept| kept.trim() == self.0) {
            return Ok(());
        }
        config::last_good::replace(&file, format!("{}\n", self.0).as_bytes())
    }

    /// Sixteen bytes as a UUID of version 8 (custom; RFC 9562, section 5.8).
    fn from_bytes(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self::given(&config::Uuid(bytes))
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id that the operating system keeps for this installation, where it can be read.
#[cfg(not(windows))]
pub fn machine_id() -> Option<String> {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .map(|text| text.trim().to_owned())
        .find(|id| is_machine_id(id))
}

/// The id that the operating system keeps for this installation, where it can be read.
#[cfg(windows)]
pub fn machine_id() -> Option<String> {
    let key = windows_registry::LOCAL_MACHINE.open(r"SOFTWARE\Microsoft\Cryptography").ok()?;
    let id = key.get_string("MachineGuid").ok()?.replace('-', "").to_ascii_lowercase();
    is_machine_id(&id).then_some(id)
}

fn is_machine_id(id: &str) -> bool {
    id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The directory for what outlives a restart where the package or the installed service has it.
#[cfg(not(windows))]
pub const STATE: &str = "/var/lib/nbe";
/// The directory for what outlives a restart where the package or the installed service has it.
#[cfg(windows)]
pub const STATE: &str = r"C:\ProgramData\nbe\state";

/// The directory for what outlives a restart: the one that the service manager names, whether it can be written or not,
/// else the package's where this account may write it.
pub fn state_directory() -> Option<PathBuf> {
    let given = std::env::var_os("STATE_DIRECTORY").filter(|given| !given.is_empty());
    let package = || Some(PathBuf::from(STATE)).filter(|path| path.is_dir() && is_writable(path));
    given.map(PathBuf::from).or_else(package)
}

fn is_writable(path: &Path) -> bool {
    #[cfg(unix)]
    return rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    #[cfg(not(unix))]
    return tempfile::tempfile_in(path).is_ok(); // what a folder's attributes say means nothing
}

/// Random bytes as hex digits, for ids that must be new.
///
/// # Errors
/// If the system has none.
pub fn random_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Names bands in logs: by a keyed hash, since an address is personal data, or by the address where that was asked for.
#[derive(Clone)]
pub struct Labels {
    key: [u8; 32],
    show_addresses: bool,
}

impl Labels {
    /// Labels of one machine: the same band has the same label in all its logs, and another in another's. The key comes
    /// from the machine's id, which is not for others to see; without one, labels hold for this run.
    ///
    /// # Errors
    /// If no random bytes can be had for a machine without an id.
    pub fn new(machine_id: Option<&str>, show_addresses: bool) -> Result<Self, getrandom::Error> {
        let key = match machine_id {
            Some(machine_id) => keyed(LABEL_KEY, machine_id.trim().as_bytes()),
            None => {
                let mut key = [0; 32];
                getrandom::fill(&mut key)?;
                key
            }
        };
        Ok(Self { key, show_addresses })
    }

    /// Shows addresses from now on, or hides them.
    pub fn show_addresses(&mut self, show: bool) {
        self.show_addresses = show;
    }

    /// The label of one band.
    pub fn label(&self, address: Address) -> String {
        if self.show_addresses {
            return address.bytes.to_string();
        }
        let hash = keyed(&self.key, &address.key().to_be_bytes());
        format!("band-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Labels").field("show_addresses", &self.show_addresses).finish_non_exhaustive()
    }
}

fn keyed(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bgapi::{AddressType, BdAddr};

    #[test]
    fn a_machine_keeps_its_id_and_a_copied_disk_does_not_bring_it_along() {
        let state = tempfile::tempdir().unwrap();
        let first = EndpointId::of_machine(Some("0123456789abcdef0123456789abcdef\n"), Some(state.path())).unwrap();
        first.keep(state.path()).unwrap();
        let again = EndpointId::of_machine(Some("0123456789abcdef0123456789abcdef"), None).unwrap();
        assert_eq!(first, again);
        let copied = EndpointId::of_machine(Some("ffffffffffffffffffffffffffffffff"), Some(state.path())).unwrap();
        assert_ne!(first, copied);
        assert!(!first.to_string().contains("0123456789ab"));
    }

    #[test]
    fn a_machine_without_an_id_keeps_a_random_one_where_it_can() {
        let state = tempfile::tempdir().unwrap();
        let first = EndpointId::of_machine(None, Some(state.path())).unwrap();
        first.keep(state.path()).unwrap();
        assert_eq!(EndpointId::of_machine(None, Some(state.path())).unwrap(), first);
        assert_ne!(EndpointId::of_machine(None, None).unwrap(), first);
    }

    #[test]
    fn labels_hide_addresses_unless_asked() {
        let address = Address { bytes: BdAddr([2, 0x11, 0x8a, 0x70, 0xf3, 0x5c]), address_type: AddressType::PUBLIC };
        let labels = |machine_id, show| Labels::new(machine_id, show).unwrap();
        let hidden = labels(Some("a machine"), false).label(address);
        assert!(hidden.starts_with("band-") && !hidden.contains("5c:f3"), "{hidden}");
        assert_eq!(hidden, labels(Some("a machine"), false).label(address));
        assert_ne!(hidden, labels(Some("another"), false).label(address));
        assert_ne!(labels(None, false).label(address), labels(None, false).label(address));
        assert_eq!(labels(None, true).label(address), "5c:f3:70:8a:11:02");
    }
}
