//! Which program has the port, where the system tells.

use std::net::SocketAddr;

use crate::holder::Holder;

/// The program that listens where `addr` wanted to. Linux only, and only as far as one may look.
pub(super) fn holder(addr: SocketAddr) -> Option<Holder> {
    #[cfg(target_os = "linux")]
    return linux::holder(addr);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = addr;
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::SocketAddr;

    use crate::holder::{Holder, holders};

    pub(super) fn holder(addr: SocketAddr) -> Option<Holder> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
        let sockets: Vec<String> = tables
            .iter()
            .flat_map(|table| listeners(table, addr.port()))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        holders(|target| target.to_str().is_some_and(|target| sockets.iter().any(|socket| socket == target))).next()
    }

    /// The inodes of sockets that listen on `port`, from a table like `/proc/net/tcp`.
    fn listeners(table: &str, port: u16) -> impl Iterator<Item = &str> {
        const LISTEN: &str = "0A";
        table.lines().filter_map(move |line| {
            let columns: Vec<_> = line.split_whitespace().collect();
            let [_, local, _, LISTEN, _, _, _, _, _, inode, ..] = columns[..] else { return None };
            let (_, local_port) = local.rsplit_once(':')?;
            (u16::from_str_radix(local_port, 16) == Ok(port)).then_some(inode)
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn listeners_of_the_port_are_found_in_the_table() {
            let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:23A0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 0100007F:23A0 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 20 4 30 10 -1
   2: 0100007F:23A1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0 100 0 0 10 0
   3: cut";
            assert_eq!(listeners(table, 9120).collect::<Vec<_>>(), ["4242"]);
        }

        #[test]
        fn our_own_listener_is_found() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let holder = holder(listener.local_addr().unwrap()).unwrap();
            assert_eq!(holder.pid, std::process::id());
        }
    }
}
