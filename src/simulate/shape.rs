//! Responses made from the table alone, for commands whose outcome needs no state.

use bgapi::{Command, Definition, ErrorCode, Frame, Response, Value, Wire};

/// The response to a command: `result` as given, fields the command has too as it said, all else zero or empty.
///
/// `None` for commands that are never answered and for those that are not in the table.
pub(super) fn shaped_response(command: Frame<'_>, result: ErrorCode) -> Option<Vec<u8>> {
    let definition = response_of(command)?;
    let mut payload = Vec::new();
    for (name, wire) in definition.fields {
        match (*name, wire) {
            ("result", _) => payload.extend(result.0.to_le_bytes()),
            (_, Wire::Uint8Array) => payload.push(0),
            (name, wire) => payload.extend(&said(command, name).to_le_bytes()[..wire.fixed_len()]),
        }
    }
    let mut frame = vec![0x00, payload.len() as u8, definition.class, definition.id];
    frame.append(&mut payload);
    Some(frame)
}

/// Whether the response to this command says how it went.
pub(super) fn has_result(command: Frame<'_>) -> bool {
    response_of(command).is_some_and(|response| response.fields.iter().any(|(name, _)| *name == "result"))
}

/// The response's line of the table, for a command whose payload is what the table says.
fn response_of(frame: Frame<'_>) -> Option<&'static Definition> {
    match frame.command()? {
        Command::Unknown(_) => None,
        _ => Response::DEFINITIONS
            .iter()
            .flat_map(|class| class.iter())
            .find(|response| (response.class, response.id) == (frame.class(), frame.id())),
    }
}

/// What the command said in the field of this name.
fn said(frame: Frame<'_>, wanted: &str) -> u64 {
    let mut said = 0;
    if let Some(command) = frame.command() {
        command.fields(&mut |name, value| {
            if name == wanted {
                said = match value {
                    Value::Unsigned(number) => number.into(),
                    Value::Code(number, _) => number.into(),
                    _ => 0,
                };
            }
        });
    }
    said
}

#[cfg(test)]
mod tests {
    use bgapi::{Direction, Message, connection, hardware};

    use super::*;

    fn shaped(command: &[u8]) -> Option<Vec<u8>> {
        shaped_response(Frame::parse(Direction::ToDevice, command).unwrap(), ErrorCode::NOT_CONNECTED)
    }

    #[test]
    fn a_response_repeats_what_the_command_named() {
        let command = connection::command::VersionUpdate { connection: 2 };
        let response = connection::response::VersionUpdate { connection: 2, result: ErrorCode::NOT_CONNECTED };
        assert_eq!(shaped(&command.encoded()), Some(response.encoded().to_vec()));

        let command = hardware::command::IoPortRead { port: 1, mask: 0xff };
        let response = hardware::response::IoPortRead { result: ErrorCode::NOT_CONNECTED, port: 1, data: 0 };
        assert_eq!(shaped(&command.encoded()), Some(response.encoded().to_vec()));
    }

    #[test]
    fn every_response_made_so_is_one_of_the_table() {
        for definition in Command::DEFINITIONS.iter().flat_map(|class| class.iter()) {
            let len: usize = definition.fields.iter().map(|(_, wire)| wire.fixed_len()).sum();
            let mut command = vec![0x00, len as u8, definition.class, definition.id];
            command.resize(4 + len, 0);
            if let Some(response) = shaped(&command) {
                let frame = Frame::parse(Direction::ToHost, &response).unwrap();
                assert!(!matches!(frame.response(), Some(Response::Unknown(_)) | None), "{}", definition.name);
            }
        }
    }

    #[test]
    fn a_reset_and_an_unknown_command_have_no_response() {
        assert_eq!(shaped(&[0x00, 0x01, 0x00, 0x00, 0x00]), None);
        assert_eq!(shaped(&[0x00, 0x00, 0x77, 0x00]), None);
    }
}
