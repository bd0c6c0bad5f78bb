//! Numbers with names: the codes and flags of the manual. Every one keeps values it has no name for.

use core::fmt;

use crate::wire::{Encoded, Field, Value, Wire};

/// Makes a one-byte field whose values have names.
macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $Type:ident { $($(#[$vdoc:meta])* $NAME:ident $name:literal = $value:literal),* $(,)? }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Type(
            /// The number on the wire.
            pub u8,
        );

        impl $Type {
            $($(#[$vdoc])* pub const $NAME: Self = Self($value);)*

            /// All values that have a name, with it.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$NAME)),*];

            /// The value's name in the manual, `None` for one it does not list.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }

        one_byte_field!($Type);

        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    )*};
}

/// Makes a one-byte field whose bits have names.
macro_rules! flags {
    ($(
        $(#[$doc:meta])*
        $Type:ident { $($(#[$vdoc:meta])* $NAME:ident $name:literal = $value:literal),* $(,)? }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $Type(
            /// The bits on the wire.
            pub u8,
        );

        impl $Type {
            $($(#[$vdoc])* pub const $NAME: Self = Self($value);)*

            /// All bits that have a name, with it.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$NAME)),*];

            /// Whether all the bits of `other` are set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The name of a single set bit; `None` for several, none, or one without a name.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }

        one_byte_field!($Type);

        impl core::ops::BitOr for $Type {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut rest = self.0;
                let mut separator = "";
                for (name, flag) in Self::NAMED {
                    if self.contains(*flag) {
                        write!(f, "{separator}{name}")?;
                        separator = "+";
                        rest &= !flag.0;
                    }
                }
                if rest != 0 || self.0 == 0 {
                    write!(f, "{separator}{rest:#04x}")?;
                }
                Ok(())
            }
        }
    )*};
}

macro_rules! one_byte_field {
    ($Type:ident) => {
        impl Field<'_> for $Type {
            const WIRE: Wire = Wire::Uint8;

            #[inline]
            fn take(payload: &[u8], at: usize) -> Self {
                Self(payload[at])
            }

            fn put(self, out: &mut Encoded) {
                out.push(&[self.0]);
            }

            fn value(self) -> Value<'static> {
                Value::Code(self.0, self.name())
            }
        }

        impl fmt::Debug for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($Type))
            }
        }
    };
}

codes! {
    /// Where bytes can be sent to and fetched from on the chip.
    Endpoint {
        /// The BGAPI command parser.
        API "api" = 0,
        /// The radio test.
        TEST "test" = 1,
        /// A script on the chip.
        SCRIPT "script" = 2,
        /// The USB serial port.
        USB "usb" = 3,
        /// The first UART.
        UART0 "uart0" = 4,
        /// The second UART.
        UART1 "uart1" = 5,
    }

    /// How a remote client wrote a local attribute.
    AttributeChangeReason {
        /// By a write that is acknowledged.
        WRITE_REQUEST "write_request" = 0,
        /// By a write that is not acknowledged.
        WRITE_COMMAND "write_command" = 1,
        /// By a write the host has to acknowledge with `attributes_user_write_response`.
        WRITE_REQUEST_USER "write_request_user" = 2,
    }

    /// Why an attribute value arrived.
    AttributeValueType {
        /// It was read.
        READ "read" = 0,
        /// The peer notified it.
        NOTIFY "notify" = 1,
        /// The peer indicated it.
        INDICATE "indicate" = 2,
        /// It was read by its type.
        READ_BY_TYPE "read_by_type" = 3,
        /// It is part of a long read.
        READ_BLOB "read_blob" = 4,
        /// The peer indicated it and waits for `attclient_indicate_confirm`.
        INDICATE_RSP_REQ "indicate_rsp_req" = 5,
    }

    /// What the host can show and take in while pairing.
    IoCapability {
        /// It can show a number.
        DISPLAY_ONLY "display_only" = 0,
        /// It can show a number and take yes or no.
        DISPLAY_YES_NO "display_yes_no" = 1,
        /// It can take a number.
        KEYBOARD_ONLY "keyboard_only" = 2,
        /// Neither.
        NO_INPUT_NO_OUTPUT "no_input_no_output" = 3,
        /// It can show and take a number.
        KEYBOARD_DISPLAY "keyboard_display" = 4,
    }

    /// The advertising PDU a scan report tells of.
    ///
    /// Reports carry 0, 2, 4 and 6, and 1 when it is directed at this dongle. Source: Core
    /// Specification Vol 6, Part B, §2.3 "Advertising physical channel PDU".
    PacketType {
        /// Connectable and scannable.
        ADV_IND "adv_ind" = 0,
        /// Connectable by one peer alone.
        ADV_DIRECT_IND "adv_direct_ind" = 1,
        /// Neither connectable nor scannable.
        ADV_NONCONN_IND "adv_nonconn_ind" = 2,
        /// A scan request; as a rule not reported.
        SCAN_REQ "scan_req" = 3,
        /// The answer to a scan request; its data may be empty.
        SCAN_RSP "scan_rsp" = 4,
        /// A connection request; as a rule not reported.
        CONNECT_REQ "connect_req" = 5,
        /// Scannable, not connectable.
        ADV_SCAN_IND "adv_scan_ind" = 6,
    }

    /// Whether an address was assigned or drawn.
    AddressType {
        /// Assigned by the manufacturer.
        PUBLIC "public" = 0,
        /// Drawn at random.
        RANDOM "random" = 1,
    }

    /// Who may discover this device while it advertises.
    DiscoverableMode {
        /// Nobody: it does not advertise as discoverable.
        NON_DISCOVERABLE "non_discoverable" = 0,
        /// Those who look for limited discoverable devices.
        LIMITED_DISCOVERABLE "limited_discoverable" = 1,
        /// Everybody.
        GENERAL_DISCOVERABLE "general_discoverable" = 2,
        /// Those who scan without looking at the Flags.
        BROADCAST "broadcast" = 3,
        /// The application provides the payload with `gap_set_adv_data`.
        USER_DATA "user_data" = 4,
        /// A bit beside the others, for enhanced broadcasting; the vendor's own list lacks it.
        ENHANCED_BROADCASTING_FLAG "enhanced_broadcasting_flag" = 128,
    }

    /// Who may connect to this device while it advertises.
    ConnectableMode {
        /// Nobody.
        NON_CONNECTABLE "non_connectable" = 0,
        /// One peer alone.
        DIRECTED_CONNECTABLE "directed_connectable" = 1,
        /// Everybody.
        UNDIRECTED_CONNECTABLE "undirected_connectable" = 2,
        /// Nobody, but scan requests are answered.
        SCANNABLE_NON_CONNECTABLE "scannable_non_connectable" = 3,
    }

    /// Which advertisers a scan reports.
    DiscoverMode {
        /// Those whose Flags say limited discoverable.
        LIMITED "limited" = 0,
        /// Those whose Flags say limited or general discoverable.
        GENERIC "generic" = 1,
        /// All of them.
        OBSERVATION "observation" = 2,
    }

    /// Whose advertisements a scan lets through.
    ScanPolicy {
        /// Everybody's.
        ALL "all" = 0,
        /// Those of the white list.
        WHITELIST "whitelist" = 1,
    }

    /// Whose requests are answered while advertising.
    AdvertisingPolicy {
        /// Everybody's.
        ALL "all" = 0,
        /// Scan requests of the white list only, connections from everybody.
        WHITELIST_SCAN "whitelist_scan" = 1,
        /// Connections of the white list only, scan requests from everybody.
        WHITELIST_CONNECT "whitelist_connect" = 2,
        /// Both of the white list only.
        WHITELIST_ALL "whitelist_all" = 3,
    }

    /// The hardware a firmware says it runs on; as seen in real answers.
    HardwareId {
        /// A BLE112 module.
        BLE112 "ble112" = 1,
        /// A BLED112 dongle.
        BLED112 "bled112" = 3,
        /// A BLE113 module.
        BLE113 "ble113" = 7,
    }

    /// What an AD structure contains.
    ///
    /// Source: Bluetooth Assigned Numbers, §2.3 "Common Data Types"; the first ten are the manual's.
    AdType {
        /// Flags, see [`AdFlags`].
        FLAGS "flags" = 0x01,
        /// Some of the 16-bit service UUIDs.
        UUID16_MORE "uuid16_more" = 0x02,
        /// All of the 16-bit service UUIDs.
        UUID16_ALL "uuid16_all" = 0x03,
        /// Some of the 32-bit service UUIDs.
        UUID32_MORE "uuid32_more" = 0x04,
        /// All of the 32-bit service UUIDs.
        UUID32_ALL "uuid32_all" = 0x05,
        /// Some of the 128-bit service UUIDs.
        UUID128_MORE "uuid128_more" = 0x06,
        /// All of the 128-bit service UUIDs.
        UUID128_ALL "uuid128_all" = 0x07,
        /// The beginning of the device's name.
        NAME_SHORT "name_short" = 0x08,
        /// The device's name.
        NAME_COMPLETE "name_complete" = 0x09,
        /// Transmit power in dBm.
        TX_POWER "tx_power" = 0x0a,
        /// Data of a service with a 16-bit UUID.
        SERVICE_DATA16 "service_data16" = 0x16,
        /// Data of a service with a 32-bit UUID.
        SERVICE_DATA32 "service_data32" = 0x20,
        /// Data of a service with a 128-bit UUID.
        SERVICE_DATA128 "service_data128" = 0x21,
        /// Data of a manufacturer.
        MANUFACTURER "manufacturer" = 0xff,
    }
}

flags! {
    /// What a remote client has subscribed to.
    AttributeStatusFlags {
        /// Notifications.
        NOTIFY "notify" = 1,
        /// Indications.
        INDICATE "indicate" = 2,
    }

    /// The state of a link, and what has just changed about it.
    ConnectionStatusFlags {
        /// The link is open.
        CONNECTED "connected" = 1,
        /// The link is encrypted.
        ENCRYPTED "encrypted" = 2,
        /// The link is new.
        COMPLETED "completed" = 4,
        /// Interval, latency or timeout have changed.
        PARAMETERS_CHANGE "parameters_change" = 8,
    }

    /// The keys a bond holds or pairing hands out.
    BondingKeys {
        /// The long-term key.
        LTK "ltk" = 1,
        /// The public address.
        ADDR_PUBLIC "addr_public" = 2,
        /// The static random address.
        ADDR_STATIC "addr_static" = 4,
        /// The identity resolving key.
        IRK "irk" = 8,
        /// The diversifier and random number that go with the long-term key.
        EDIVRAND "edivrand" = 16,
        /// The signing key.
        CSRK "csrk" = 32,
        /// The identification of the central's keys.
        MASTERID "masterid" = 64,
    }
    /// The Flags of an advertisement.
    ///
    /// The vendor puts the last two one bit higher; these are the values devices send. Source:
    /// Supplement to the Core Specification, Part A, §1.3 "Flags".
    AdFlags {
        /// Discoverable for a limited time.
        LIMITED_DISCOVERABLE "limited_discoverable" = 0x01,
        /// Discoverable.
        GENERAL_DISCOVERABLE "general_discoverable" = 0x02,
        /// Without classic Bluetooth.
        BREDR_NOT_SUPPORTED "bredr_not_supported" = 0x04,
        /// The controller does classic Bluetooth at the same time.
        SIMULTANEOUS_CONTROLLER "simultaneous_controller" = 0x08,
        /// The host does classic Bluetooth at the same time.
        SIMULTANEOUS_HOST "simultaneous_host" = 0x10,
    }
}
