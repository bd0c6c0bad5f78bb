//! The bootloader, which takes new firmware and speaks nothing else.

use crate::message::class;
use crate::{ByteArray, ErrorCode};

class! {
    9 "dfu"

    commands Command<'a> -> Response {
        /// Leaves the bootloader. Never answered.
        0 "dfu_reset" Reset {
            /// 1 starts the bootloader once more.
            dfu: u8,
        };

        /// Sets where the next block goes.
        1 "dfu_flash_set_address" FlashSetAddress { address: u32 } -> { result: ErrorCode };

        /// Writes one block of firmware.
        2 "dfu_flash_upload" FlashUpload<'a> { data: ByteArray<'a> } -> { result: ErrorCode };

        /// Says that the firmware is complete.
        3 "dfu_flash_upload_finish" FlashUploadFinish {} -> { result: ErrorCode };
    }

    events Event {
        /// The bootloader has started.
        0 "dfu_boot" Boot { version: u32 };
    }
}
