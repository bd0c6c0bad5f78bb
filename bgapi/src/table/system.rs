//! The device itself: restart, versions, endpoints, white list, AES.

use crate::message::class;
use crate::{AddressType, BdAddr, ByteArray, Endpoint, ErrorCode, HardwareId};

class! {
    0 "system"

    commands Command<'a> -> Response<'a> {
        /// Restarts the chip. Never answered: on USB the device leaves the bus and comes back.
        0 "system_reset" Reset {
            /// 1 starts the bootloader for a firmware update instead of the firmware.
            boot_in_dfu: u8,
        };

        /// Does nothing but be answered, which shows that commands are heard.
        1 "system_hello" Hello {} -> {};

        /// Asks for the device's own public address.
        2 "system_address_get" AddressGet {} -> { address: BdAddr };

        /// Writes a register of the chip.
        3 "system_reg_write" RegWrite { address: u16, value: u8 } -> { result: ErrorCode };

        /// Reads a register of the chip.
        4 "system_reg_read" RegRead { address: u16 } -> { address: u16, value: u8 };

        /// Reads the packet counters of the link layer and sets them back to zero.
        5 "system_get_counters" GetCounters {} -> {
            txok: u8,
            txretry: u8,
            rxok: u8,
            rxfail: u8,
            /// Free packet buffers; firmware 1.0 does not send it.
            mbuf: u8,
        };

        /// Asks for the number of links the firmware has room for.
        ///
        /// A `connection_status` event for each of them follows.
        6 "system_get_connections" GetConnections {} -> { maxconn: u8 };

        /// Reads memory of the chip.
        7 "system_read_memory" ReadMemory { address: u32, length: u8 }
            -> <'a> { address: u32, data: ByteArray<'a> };

        /// Asks for the versions of the firmware and its parts.
        8 "system_get_info" GetInfo {} -> {
            major: u16,
            minor: u16,
            patch: u16,
            build: u16,
            /// Version of the link layer.
            ll_version: u16,
            /// Version of the BGAPI protocol.
            protocol_version: u8,
            hw: HardwareId,
        };

        /// Sends bytes out of an endpoint.
        9 "system_endpoint_tx" EndpointTx<'a> { endpoint: Endpoint, data: ByteArray<'a> }
            -> { result: ErrorCode };

        /// Adds a device to the white list; not while the radio is at work.
        10 "system_whitelist_append" WhitelistAppend { address: BdAddr, address_type: AddressType }
            -> { result: ErrorCode };

        /// Takes a device off the white list; not while the radio is at work.
        11 "system_whitelist_remove" WhitelistRemove { address: BdAddr, address_type: AddressType }
            -> { result: ErrorCode };

        /// Takes all devices off the white list.
        12 "system_whitelist_clear" WhitelistClear {} -> {};

        /// Fetches the bytes an endpoint has received.
        13 "system_endpoint_rx" EndpointRx { endpoint: Endpoint, size: u8 }
            -> <'a> { result: ErrorCode, data: ByteArray<'a> };

        /// Sets how full an endpoint's buffers are when the watermark events come.
        ///
        /// 0 turns an event off, 255 leaves it as it was.
        14 "system_endpoint_set_watermarks" EndpointSetWatermarks { endpoint: Endpoint, rx: u8, tx: u8 }
            -> { result: ErrorCode };

        /// Sets the key of the AES engine.
        15 "system_aes_setkey" AesSetkey<'a> { key: ByteArray<'a> } -> {};

        /// Encrypts one block.
        16 "system_aes_encrypt" AesEncrypt<'a> { data: ByteArray<'a> } -> <'a> { data: ByteArray<'a> };

        /// Decrypts one block.
        17 "system_aes_decrypt" AesDecrypt<'a> { data: ByteArray<'a> } -> <'a> { data: ByteArray<'a> };

        /// Asks whether a USB host has enumerated the device; late firmware only.
        18 "system_usb_enumeration_status_get" UsbEnumerationStatusGet {}
            -> { result: ErrorCode, status: u8 };

        /// Asks for the checksum of the bootloader; late firmware only.
        19 "system_get_bootloader_crc" GetBootloaderCrc {} -> { crc: u16 };

        /// Restarts the chip after a while. Never answered; late firmware only.
        20 "system_delay_reset" DelayReset {
            /// 1 starts the bootloader for a firmware update instead of the firmware.
            boot_in_dfu: u8,
            /// The while, in milliseconds.
            delay_ms: u16,
        };
    }

    events Event<'a> {
        /// The firmware has started, and all that was set before is forgotten.
        0 "system_boot" Boot {
            major: u16,
            minor: u16,
            patch: u16,
            build: u16,
            /// Version of the link layer.
            ll_version: u16,
            /// Version of the BGAPI protocol.
            protocol_version: u8,
            hw: HardwareId,
        };

        /// Something for the vendor's own eyes.
        1 "system_debug" Debug<'a> { data: ByteArray<'a> };

        /// An endpoint has received as many bytes as its watermark.
        2 "system_endpoint_watermark_rx" EndpointWatermarkRx {
            endpoint: Endpoint,
            /// Bytes received.
            data: u8,
        };

        /// An endpoint has as much room for sending as its watermark.
        3 "system_endpoint_watermark_tx" EndpointWatermarkTx {
            endpoint: Endpoint,
            /// Bytes of room.
            data: u8,
        };

        /// The script on the chip has failed.
        4 "system_script_failure" ScriptFailure {
            /// Where in the script.
            address: u16,
            reason: ErrorCode,
        };

        /// The chip holds no valid licence and does not use its radio.
        5 "system_no_license_key" NoLicenseKey {};

        /// The device has thrown away bytes that make no command, or half a command after about 1 s.
        6 "system_protocol_error" ProtocolError { reason: ErrorCode };

        /// A USB host has enumerated the device or let go of it.
        7 "system_usb_enumerated" UsbEnumerated { state: u8 };
    }
}
