//! Tests of the radio; without events.

use crate::ByteArray;
use crate::message::class;

class! {
    8 "test"

    commands Command<'a> -> Response<'a> {
        /// Begins to send test packets.
        0 "test_phy_tx" PhyTx { channel: u8, length: u8, r#type: u8 } -> {};

        /// Begins to listen for test packets.
        1 "test_phy_rx" PhyRx { channel: u8 } -> {};

        /// Ends the test and asks how many packets were heard.
        2 "test_phy_end" PhyEnd {} -> { counter: u16 };

        /// Sets the test back to its beginning.
        3 "test_phy_reset" PhyReset {} -> {};

        /// Asks for the channels in use, one bit for each.
        4 "test_get_channel_map" GetChannelMap {} -> <'a> { channel_map: ByteArray<'a> };

        /// Something for the vendor's own hands; older firmware has it without the opcode.
        5 "test_debug" Debug<'a> { opcode: u8, input: ByteArray<'a> }
            -> <'a> { opcode: u8, output: ByteArray<'a> };

        /// Sets how the test names channels.
        6 "test_channel_mode" ChannelMode { mode: u8 } -> {};
    }
}
