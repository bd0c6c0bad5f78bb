//! The persistent store, and the part of the flash that is the user's.

use core::ops::RangeInclusive;

use crate::message::class;
use crate::{ByteArray, ErrorCode};

/// The keys of the persistent store that are the application's, each with up to 32 bytes.
pub const USER_KEYS: RangeInclusive<u16> = 0x8000..=0x807f;

class! {
    1 "flash"

    commands Command<'a> -> Response<'a> {
        /// Tidies the persistent store; not while the radio is at work.
        0 "flash_ps_defrag" PsDefrag {} -> {};

        /// Asks for all stored values, each in a `flash_ps_key` event.
        1 "flash_ps_dump" PsDump {} -> {};

        /// Erases the persistent store, and all bonds with it.
        2 "flash_ps_erase_all" PsEraseAll {} -> {};

        /// Stores up to 32 bytes under a key.
        3 "flash_ps_save" PsSave<'a> { key: u16, value: ByteArray<'a> } -> { result: ErrorCode };

        /// Asks for the value under a key.
        4 "flash_ps_load" PsLoad { key: u16 } -> <'a> { result: ErrorCode, value: ByteArray<'a> };

        /// Erases the value under a key.
        5 "flash_ps_erase" PsErase { key: u16 } -> {};

        /// Erases one page of the user's flash.
        6 "flash_erase_page" ErasePage { page: u8 } -> { result: ErrorCode };

        /// Writes into the user's flash; firmware before 1.2 has another command under this id.
        7 "flash_write_data" WriteData<'a> { address: u32, data: ByteArray<'a> } -> { result: ErrorCode };

        /// Reads from the user's flash.
        8 "flash_read_data" ReadData { address: u32, length: u8 } -> <'a> { data: ByteArray<'a> };
    }

    events Event<'a> {
        /// One value of the store, asked for by `flash_ps_dump`.
        0 "flash_ps_key" PsKey<'a> {
            /// 0xffff after the last value.
            key: u16,
            value: ByteArray<'a>,
        };
    }
}
