//! The local attribute database, which remote clients read and write.

use crate::message::class;
use crate::{AttributeChangeReason, AttributeStatusFlags, ByteArray, ErrorCode};

class! {
    2 "attributes"

    commands Command<'a> -> Response<'a> {
        /// Writes a local attribute.
        0 "attributes_write" Write<'a> { handle: u16, offset: u8, value: ByteArray<'a> }
            -> { result: ErrorCode };

        /// Reads a local attribute, at most 32 bytes of it.
        1 "attributes_read" Read { handle: u16, offset: u16 }
            -> <'a> { handle: u16, offset: u16, result: ErrorCode, value: ByteArray<'a> };

        /// Reads the type of a local attribute, its UUID.
        2 "attributes_read_type" ReadType { handle: u16 }
            -> <'a> { handle: u16, result: ErrorCode, value: ByteArray<'a> };

        /// Answers `attributes_user_read_request`.
        3 "attributes_user_read_response" UserReadResponse<'a> {
            connection: u8,
            /// 0, or the ATT error the client is to get.
            att_error: u8,
            value: ByteArray<'a>,
        } -> {};

        /// Answers a write the application has to acknowledge.
        4 "attributes_user_write_response" UserWriteResponse {
            connection: u8,
            /// 0, or the ATT error the client is to get.
            att_error: u8,
        } -> {};

        /// Notifies or indicates a value to a client.
        5 "attributes_send" Send<'a> {
            /// 255 for all clients.
            connection: u8,
            handle: u16,
            value: ByteArray<'a>,
        } -> { result: ErrorCode };
    }

    events Event<'a> {
        /// A client has written a local attribute.
        0 "attributes_value" Value<'a> {
            connection: u8,
            reason: AttributeChangeReason,
            handle: u16,
            offset: u16,
            value: ByteArray<'a>,
        };

        /// A client wants to read an attribute the application serves.
        1 "attributes_user_read_request" UserReadRequest {
            connection: u8,
            handle: u16,
            offset: u16,
            /// The longest answer, in bytes; firmware 1.0 does not send it.
            maxsize: u8,
        };

        /// A client has subscribed to an attribute or given it up.
        2 "attributes_status" Status { handle: u16, flags: AttributeStatusFlags };
    }
}
