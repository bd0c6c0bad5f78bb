//! The security manager: pairing, bonds, encryption.

use crate::message::class;
use crate::{BondingKeys, ByteArray, ErrorCode, IoCapability};

class! {
    5 "sm"

    commands Command<'a> -> Response {
        /// Encrypts a link, pairing first where there is no bond.
        0 "sm_encrypt_start" EncryptStart {
            handle: u8,
            /// 1 keeps the keys as a bond.
            bonding: u8,
        } -> { handle: u8, result: ErrorCode };

        /// Allows peers to bond, or does not.
        1 "sm_set_bondable_mode" SetBondableMode { bondable: u8 } -> {};

        /// Forgets a bond.
        2 "sm_delete_bonding" DeleteBonding {
            /// 255 for all bonds.
            handle: u8,
        } -> { result: ErrorCode };

        /// Sets what pairing asks for and what the host can show and take in.
        3 "sm_set_parameters" SetParameters {
            /// 1 asks for protection against somebody in the middle.
            mitm: u8,
            /// In bytes, 7 to 16.
            min_key_size: u8,
            io_capabilities: IoCapability,
        } -> {};

        /// Enters the passkey `sm_passkey_request` wants.
        4 "sm_passkey_entry" PasskeyEntry {
            handle: u8,
            /// 0 to 999999.
            passkey: u32,
        } -> { result: ErrorCode };

        /// Asks for the number of bonds; an `sm_bond_status` for each follows.
        5 "sm_get_bonds" GetBonds {} -> { bonds: u8 };

        /// Sets the out-of-band data for pairing.
        6 "sm_set_oob_data" SetOobData<'a> {
            /// 16 bytes, or none to forget them.
            oob: ByteArray<'a>,
        } -> {};

        /// Puts the peers of all bonds on the white list.
        7 "sm_whitelist_bonds" WhitelistBonds {} -> { result: ErrorCode, count: u8 };

        /// Sets the keys each side hands out while pairing.
        8 "sm_set_pairing_distribution_keys" SetPairingDistributionKeys {
            initiator_keys: BondingKeys,
            responder_keys: BondingKeys,
        } -> { result: ErrorCode };
    }

    events Event<'a> {
        /// A raw packet of the pairing.
        0 "sm_smp_data" SmpData<'a> { handle: u8, packet: u8, data: ByteArray<'a> };

        /// Pairing or encryption has failed.
        1 "sm_bonding_fail" BondingFail { handle: u8, result: ErrorCode };

        /// A passkey for a person to read.
        2 "sm_passkey_display" PasskeyDisplay {
            handle: u8,
            /// 0 to 999999.
            passkey: u32,
        };

        /// A person is to enter the passkey the peer shows.
        3 "sm_passkey_request" PasskeyRequest { handle: u8 };

        /// What is known of one bond.
        4 "sm_bond_status" BondStatus {
            bond: u8,
            /// In bytes.
            keysize: u8,
            /// 1 if the pairing was protected against somebody in the middle.
            mitm: u8,
            keys: BondingKeys,
        };
    }
}
