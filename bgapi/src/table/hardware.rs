//! Pins, timers, converters, buses and the radio's power.

use crate::message::class;
use crate::{ByteArray, ErrorCode};

class! {
    7 "hardware"

    commands Command<'a> -> Response<'a> {
        /// Sets which pins of a port interrupt, and on which edge; the older way.
        0 "hardware_io_port_config_irq" IoPortConfigIrq { port: u8, enable_bits: u8, falling_edge: u8 }
            -> { result: ErrorCode };

        /// Starts a timer, or stops it.
        1 "hardware_set_soft_timer" SetSoftTimer {
            /// In ticks of 1/32768 s; 0 stops it.
            time: u32,
            handle: u8,
            /// 1 fires once, 0 again and again.
            single_shot: u8,
        } -> { result: ErrorCode };

        /// Starts a conversion; `hardware_adc_result` follows.
        2 "hardware_adc_read" AdcRead { input: u8, decimation: u8, reference_selection: u8 }
            -> { result: ErrorCode };

        /// Sets which pins of a port are outputs.
        3 "hardware_io_port_config_direction" IoPortConfigDirection { port: u8, direction: u8 }
            -> { result: ErrorCode };

        /// Sets which pins of a port belong to a peripheral.
        4 "hardware_io_port_config_function" IoPortConfigFunction { port: u8, function: u8 }
            -> { result: ErrorCode };

        /// Sets the pull resistors of a port.
        5 "hardware_io_port_config_pull" IoPortConfigPull { port: u8, tristate_mask: u8, pull_up: u8 }
            -> { result: ErrorCode };

        /// Sets output pins.
        6 "hardware_io_port_write" IoPortWrite { port: u8, mask: u8, data: u8 } -> { result: ErrorCode };

        /// Reads pins.
        7 "hardware_io_port_read" IoPortRead { port: u8, mask: u8 }
            -> { result: ErrorCode, port: u8, data: u8 };

        /// Sets up an SPI channel.
        8 "hardware_spi_config" SpiConfig {
            channel: u8,
            polarity: u8,
            phase: u8,
            bit_order: u8,
            baud_e: u8,
            baud_m: u8,
        } -> { result: ErrorCode };

        /// Sends bytes over SPI and receives as many.
        9 "hardware_spi_transfer" SpiTransfer<'a> { channel: u8, data: ByteArray<'a> }
            -> <'a> { result: ErrorCode, channel: u8, data: ByteArray<'a> };

        /// Reads bytes over I2C.
        10 "hardware_i2c_read" I2cRead {
            address: u8,
            /// 1 sends a stop condition; firmware 1.0 has no such field.
            stop: u8,
            length: u8,
        } -> <'a> { result: ErrorCode, data: ByteArray<'a> };

        /// Writes bytes over I2C.
        11 "hardware_i2c_write" I2cWrite<'a> {
            address: u8,
            /// 1 sends a stop condition; firmware 1.0 has no such field.
            stop: u8,
            data: ByteArray<'a>,
        } -> {
            /// How many bytes the other side took.
            written: u8,
        };

        /// Sets the transmit power.
        12 "hardware_set_txpower" SetTxpower {
            /// A step from 0, the weakest, to 15.
            power: u8,
        } -> {};

        /// Sets the compare value of a hardware timer.
        13 "hardware_timer_comparator" TimerComparator {
            timer: u8,
            channel: u8,
            mode: u8,
            comparator_value: u16,
        } -> { result: ErrorCode };

        /// Sets which pins of a port interrupt.
        14 "hardware_io_port_irq_enable" IoPortIrqEnable { port: u8, enable_bits: u8 }
            -> { result: ErrorCode };

        /// Sets the edge on which a port interrupts.
        15 "hardware_io_port_irq_direction" IoPortIrqDirection { port: u8, falling_edge: u8 }
            -> { result: ErrorCode };

        /// Turns the analogue comparator on or off.
        16 "hardware_analog_comparator_enable" AnalogComparatorEnable { enable: u8 } -> {};

        /// Reads the analogue comparator.
        17 "hardware_analog_comparator_read" AnalogComparatorRead {} -> { result: ErrorCode, output: u8 };

        /// Makes the analogue comparator interrupt, or not.
        18 "hardware_analog_comparator_config_irq" AnalogComparatorConfigIrq { enabled: u8 }
            -> { result: ErrorCode };

        /// Sets the gain of the receiver.
        19 "hardware_set_rxgain" SetRxgain { gain: u8 } -> {};

        /// Turns the USB controller on or off.
        20 "hardware_usb_enable" UsbEnable { enable: u8 } -> { result: ErrorCode };

        /// Lets the chip sleep, or does not.
        21 "hardware_sleep_enable" SleepEnable { enable: u8 } -> { result: ErrorCode };

        /// Reads the chip's clock; late firmware only.
        22 "hardware_get_timestamp" GetTimestamp {} -> { value: u32 };
    }

    events Event {
        /// A pin has interrupted.
        0 "hardware_io_port_status" IoPortStatus { timestamp: u32, port: u8, irq: u8, state: u8 };

        /// A timer has fired.
        1 "hardware_soft_timer" SoftTimer { handle: u8 };

        /// A conversion has ended.
        2 "hardware_adc_result" AdcResult { input: u8, value: i16 };

        /// The analogue comparator has interrupted.
        3 "hardware_analog_comparator_status" AnalogComparatorStatus { timestamp: u32, output: u8 };
    }
}
