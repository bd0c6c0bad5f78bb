//! Outcomes and reasons.

use core::fmt;

/// The outcome of a command or the reason of an event; zero is success.
///
/// The high byte names the family: `0x01` the BGAPI itself, `0x02` the Bluetooth controller (the low
/// byte is the HCI error of Core Specification Vol 1, Part F), `0x03` pairing (Vol 3, Part H, §3.5.5),
/// `0x04` the attribute protocol (Vol 3, Part F, §3.4.1.1).
///
/// ```
/// use bgapi::ErrorCode;
/// assert_eq!(ErrorCode::WRONG_STATE.to_string(), "wrong_state (0x0181)");
/// assert_eq!(ErrorCode(0x0493).to_string(), "attribute protocol error 0x93 (0x0493)");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(
    /// The number on the wire.
    pub u16,
);

macro_rules! error_codes {
    ($($NAME:ident $name:literal = $code:literal, $meaning:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!($meaning, ".")] pub const $NAME: Self = Self($code);)*

            /// All codes that have a name.
            pub const NAMED: &'static [Self] = &[$(Self::$NAME),*];

            /// The code's name, `None` for one that is not listed.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($name),)*
                    _ => None,
                }
            }

            /// What the code says, in a few words; its family where the code is not listed.
            pub const fn meaning(self) -> &'static str {
                match self.0 {
                    $($code => $meaning,)*
                    0x0480..=0x049f => "An error the peer's application defines",
                    _ => self.family(),
                }
            }
        }
    };
}

impl ErrorCode {
    /// Whether the code says that nothing went wrong.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    const fn family(self) -> &'static str {
        match self.0 >> 8 {
            0x01 => "BGAPI error",
            0x02 => "Bluetooth controller error",
            0x03 => "pairing error",
            0x04 => "attribute protocol error",
            _ => "unknown error",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:#06x})", self.0),
            None => write!(f, "{} {:#04x} ({:#06x})", self.family(), self.0 & 0xff, self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

error_codes! {
    SUCCESS "success" = 0x0000, "It worked";

    INVALID_PARAM "invalid_param" = 0x0180, "A value is outside what the command accepts";
    WRONG_STATE "wrong_state" = 0x0181, "Not possible now: there is nothing to stop, or it is running already";
    OUT_OF_MEMORY "out_of_memory" = 0x0182, "The chip has no memory to spare";
    NOT_IMPLEMENTED "not_implemented" = 0x0183, "This firmware cannot do it";
    INVALID_COMMAND "invalid_command" = 0x0184, "This firmware does not know the command";
    TIMEOUT "timeout" = 0x0185, "It took too long";
    NOT_CONNECTED "not_connected" = 0x0186, "The handle belongs to no open link";
    FLOW "flow" = 0x0187, "A buffer is too full or too empty for it";
    USER_ATTRIBUTE "user_attribute" = 0x0188, "The attribute is served by the application and takes other commands";
    INVALID_LICENSE_KEY "invalid_license_key" = 0x0189, "The chip holds no valid licence";
    COMMAND_TOO_LONG "command_too_long" = 0x018a, "The command does not fit the chip's parser";
    OUT_OF_BONDS "out_of_bonds" = 0x018b, "All places for bonds are taken";
    SCRIPT_OVERFLOW "script_overflow" = 0x018c, "A script on the chip overflowed its stack, or an error without details";

    AUTHENTICATION_FAILURE "authentication_failure" = 0x0205, "Pairing or authentication did not come out right";
    PIN_OR_KEY_MISSING "pin_or_key_missing" = 0x0206, "One side has lost the key of the bond";
    MEMORY_CAPACITY_EXCEEDED "memory_capacity_exceeded" = 0x0207, "The controller has no memory to spare";
    CONNECTION_TIMEOUT "connection_timeout" = 0x0208, "The peer was not heard for the supervision timeout";
    CONNECTION_LIMIT_EXCEEDED "connection_limit_exceeded" = 0x0209, "The firmware allows no further link";
    COMMAND_DISALLOWED "command_disallowed" = 0x020c, "The controller refuses it in its present state";
    INVALID_COMMAND_PARAMETERS "invalid_command_parameters" = 0x0212, "The controller refuses these values";
    REMOTE_USER_TERMINATED "remote_user_terminated" = 0x0213, "The peer ended the link";
    TERMINATED_BY_LOCAL_HOST "terminated_by_local_host" = 0x0216, "This side ended the link";
    LL_RESPONSE_TIMEOUT "ll_response_timeout" = 0x0222, "The peer's link layer did not answer in time";
    LL_INSTANT_PASSED "ll_instant_passed" = 0x0228, "The moment agreed for a change of the link had gone by";
    CONTROLLER_BUSY "controller_busy" = 0x023a, "The controller is occupied";
    UNACCEPTABLE_CONNECTION_INTERVAL "unacceptable_connection_interval" = 0x023b, "The peer does not accept the interval";
    DIRECTED_ADVERTISING_TIMEOUT "directed_advertising_timeout" = 0x023c, "The peer that was called did not connect";
    MIC_FAILURE "mic_failure" = 0x023d, "An encrypted packet failed its integrity check";
    CONNECTION_FAILED_TO_BE_ESTABLISHED "connection_failed_to_be_established" = 0x023e, "The new link carried no packet from the peer";

    PASSKEY_ENTRY_FAILED "passkey_entry_failed" = 0x0301, "The passkey was not entered";
    OOB_NOT_AVAILABLE "oob_not_available" = 0x0302, "The out-of-band data are missing";
    AUTHENTICATION_REQUIREMENTS "authentication_requirements" = 0x0303, "The devices cannot show or enter what the pairing asks for";
    CONFIRM_VALUE_FAILED "confirm_value_failed" = 0x0304, "The two sides computed different confirm values";
    PAIRING_NOT_SUPPORTED "pairing_not_supported" = 0x0305, "The peer cannot pair";
    ENCRYPTION_KEY_SIZE "encryption_key_size" = 0x0306, "The key the peer offers is too short";
    SMP_COMMAND_NOT_SUPPORTED "smp_command_not_supported" = 0x0307, "The peer does not know a pairing command";
    UNSPECIFIED_REASON "unspecified_reason" = 0x0308, "Pairing failed and the peer gave no reason";
    REPEATED_ATTEMPTS "repeated_attempts" = 0x0309, "The peer asks for a pause before the next attempt to pair";
    SMP_INVALID_PARAMETERS "smp_invalid_parameters" = 0x030a, "A pairing command carried values that are not allowed";

    INVALID_HANDLE "invalid_handle" = 0x0401, "There is no attribute with this handle";
    READ_NOT_PERMITTED "read_not_permitted" = 0x0402, "The attribute may not be read";
    WRITE_NOT_PERMITTED "write_not_permitted" = 0x0403, "The attribute may not be written";
    INVALID_PDU "invalid_pdu" = 0x0404, "The server could not make sense of the request";
    INSUFFICIENT_AUTHENTICATION "insufficient_authentication" = 0x0405, "The link must be authenticated first";
    REQUEST_NOT_SUPPORTED "request_not_supported" = 0x0406, "The server does not know the request";
    INVALID_OFFSET "invalid_offset" = 0x0407, "The offset lies behind the end of the value";
    INSUFFICIENT_AUTHORIZATION "insufficient_authorization" = 0x0408, "The server's application has not allowed it";
    PREPARE_QUEUE_FULL "prepare_queue_full" = 0x0409, "The server holds as many queued writes as it can";
    ATTRIBUTE_NOT_FOUND "attribute_not_found" = 0x040a, "No attribute left in the range: how every search ends";
    ATTRIBUTE_NOT_LONG "attribute_not_long" = 0x040b, "The attribute is not read or written in parts";
    INSUFFICIENT_ENCRYPTION_KEY_SIZE "insufficient_encryption_key_size" = 0x040c, "The attribute asks for a longer key";
    INVALID_ATTRIBUTE_LENGTH "invalid_attribute_length" = 0x040d, "The value has a length the attribute does not take";
    UNLIKELY_ERROR "unlikely_error" = 0x040e, "The server failed in a way nobody foresaw";
    INSUFFICIENT_ENCRYPTION "insufficient_encryption" = 0x040f, "The link must be encrypted first";
    UNSUPPORTED_GROUP_TYPE "unsupported_group_type" = 0x0410, "Attributes of this type make no groups";
    INSUFFICIENT_RESOURCES "insufficient_resources" = 0x0411, "The server lacks the means to do it";
    APPLICATION_ERROR "application_error" = 0x0480, "The first of the errors a peer's application defines";
}
