//! Reading and writing the attributes of a peer.

use crate::message::class;
use crate::{AttributeValueType, ByteArray, ErrorCode};

class! {
    4 "attclient"

    commands Command<'a> -> Response {
        /// Looks for attributes with this type and value.
        0 "attclient_find_by_type_value" FindByTypeValue<'a> {
            connection: u8,
            start: u16,
            end: u16,
            uuid: u16,
            value: ByteArray<'a>,
        } -> { connection: u8, result: ErrorCode };

        /// Looks for groups of this type: with 0x2800 for the primary services.
        1 "attclient_read_by_group_type" ReadByGroupType<'a> {
            connection: u8,
            start: u16,
            end: u16,
            uuid: ByteArray<'a>,
        } -> { connection: u8, result: ErrorCode };

        /// Reads all attributes of this type.
        2 "attclient_read_by_type" ReadByType<'a> {
            connection: u8,
            start: u16,
            end: u16,
            uuid: ByteArray<'a>,
        } -> { connection: u8, result: ErrorCode };

        /// Asks which types the attributes of a range have.
        3 "attclient_find_information" FindInformation { connection: u8, start: u16, end: u16 }
            -> { connection: u8, result: ErrorCode };

        /// Reads one attribute.
        4 "attclient_read_by_handle" ReadByHandle { connection: u8, chrhandle: u16 }
            -> { connection: u8, result: ErrorCode };

        /// Writes up to 20 bytes and has the peer acknowledge them.
        5 "attclient_attribute_write" AttributeWrite<'a> { connection: u8, atthandle: u16, data: ByteArray<'a> }
            -> { connection: u8, result: ErrorCode };

        /// Writes without an acknowledgement.
        6 "attclient_write_command" WriteCommand<'a> { connection: u8, atthandle: u16, data: ByteArray<'a> }
            -> { connection: u8, result: ErrorCode };

        /// Acknowledges an indication the firmware leaves to the host.
        7 "attclient_indicate_confirm" IndicateConfirm { connection: u8 } -> { result: ErrorCode };

        /// Reads an attribute that takes several packets.
        8 "attclient_read_long" ReadLong { connection: u8, chrhandle: u16 }
            -> { connection: u8, result: ErrorCode };

        /// Queues up to 18 bytes of a long write at the peer.
        9 "attclient_prepare_write" PrepareWrite<'a> {
            connection: u8,
            atthandle: u16,
            offset: u16,
            data: ByteArray<'a>,
        } -> { connection: u8, result: ErrorCode };

        /// Ends a long write.
        10 "attclient_execute_write" ExecuteWrite {
            connection: u8,
            /// 1 writes what is queued, 0 forgets it.
            commit: u8,
        } -> { connection: u8, result: ErrorCode };

        /// Reads several attributes in one answer.
        11 "attclient_read_multiple" ReadMultiple<'a> {
            connection: u8,
            /// Two bytes each.
            handles: ByteArray<'a>,
        } -> { connection: u8, result: ErrorCode };
    }

    events Event<'a> {
        /// The peer has confirmed an indication from here.
        0 "attclient_indicated" Indicated { connection: u8, attrhandle: u16 };

        /// What was asked of the peer has ended, well or not.
        1 "attclient_procedure_completed" ProcedureCompleted {
            connection: u8,
            result: ErrorCode,
            chrhandle: u16,
        };

        /// A group, such as a service, from its first to its last handle.
        2 "attclient_group_found" GroupFound<'a> { connection: u8, start: u16, end: u16, uuid: ByteArray<'a> };

        /// A characteristic's declaration; firmware does not send it.
        3 "attclient_attribute_found" AttributeFound<'a> {
            connection: u8,
            chrdecl: u16,
            value: u16,
            properties: u8,
            uuid: ByteArray<'a>,
        };

        /// An attribute and its type.
        4 "attclient_find_information_found" FindInformationFound<'a> {
            connection: u8,
            chrhandle: u16,
            uuid: ByteArray<'a>,
        };

        /// A value from the peer: read, notified or indicated.
        5 "attclient_attribute_value" AttributeValue<'a> {
            connection: u8,
            atthandle: u16,
            r#type: AttributeValueType,
            value: ByteArray<'a>,
        };

        /// The values `attclient_read_multiple` has asked for.
        6 "attclient_read_multiple_response" ReadMultipleResponse<'a> {
            connection: u8,
            /// The values one after another, though the name says handles.
            handles: ByteArray<'a>,
        };
    }
}
