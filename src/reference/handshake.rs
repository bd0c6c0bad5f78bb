//! Who may upgrade to a websocket, decided as Phoenix does.

use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request};
use tokio_tungstenite::tungstenite::http::{StatusCode, Uri, header};

/// Where Phoenix puts its websocket by default.
const PATH: &str = "/socket/websocket";

/// Sent where no websocket was asked for, or not properly.
pub(super) const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 51\r\n\r\n\
      a websocket is at /socket/websocket?vsn=2.0.0 only\n";

/// Refuses a request with the status that Phoenix would give it.
///
/// # Errors
/// 404 for another path; 403, with an empty body, for another serializer than V2 or a page of another host.
pub(super) fn admit(request: &Request) -> Result<(), Box<ErrorResponse>> {
    let refusal = if request.uri().path() != PATH {
        (StatusCode::NOT_FOUND, Some(format!("the websocket is at {PATH}?vsn=2.0.0\n")), "path")
    } else if !speaks_v2(request.uri()) {
        (StatusCode::FORBIDDEN, None, "vsn is not 2.0.0")
    } else if !is_local(request) {
        (StatusCode::FORBIDDEN, None, "a web page of another host")
    } else {
        return Ok(());
    };
    let (status, body, reason) = refusal;
    tracing::warn!(status = status.as_u16(), reason, "refused a connection");
    let mut response = ErrorResponse::new(body);
    *response.status_mut() = status;
    let length = response.body().as_ref().map_or(0, String::len);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    Err(Box::new(response))
}

/// Whether `vsn` asks for the V2 serializer. Without one a server would speak V1, which this one does not.
fn speaks_v2(uri: &Uri) -> bool {
    let pairs = uri.query().unwrap_or_default().split('&');
    let vsn = pairs.filter_map(|pair| pair.strip_prefix("vsn=")).next_back();
    vsn.and_then(|vsn| vsn.strip_prefix("2.0."))
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Whether it comes from a program, which sends no `Origin`, or from a page of this machine.
///
/// Otherwise any page open in a browser here could watch the bands and give commands.
fn is_local(request: &Request) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return true };
    let host = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()?.host().map(str::to_owned));
    matches!(host.as_deref(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uri: &str, origin: Option<&str>) -> u16 {
        let mut request = Request::new(());
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        }
        admit(&request).map_or_else(|refusal| refusal.status().as_u16(), |()| 101)
    }

    #[test]
    fn upgrades_are_admitted_as_phoenix_does() {
        let cases = [
            ("/socket/websocket?vsn=2.0.0", None, 101),
            ("/socket/websocket?token=a&vsn=2.0.0&x", None, 101),
            ("/socket/websocket?vsn=1.0.0&vsn=2.0.0", None, 101),
            ("/socket/websocket?vsn=2.0.0&vsn=1.0.0", None, 403),
            ("/socket/websocket", None, 403),
            ("/socket/websocket?vsn=1.0.0", None, 403),
            ("/socket/websocket?vsn=2.1.0", None, 403),
            ("/socket/websocket?vsn=2.0.", None, 403),
            ("/socket/websocket?vsn=junk", None, 403),
            ("/socket?vsn=2.0.0", None, 404),
            ("/socket/websocket/?vsn=2.0.0", None, 404),
            ("/", None, 404),
            ("/socket/websocket?vsn=2.0.0", Some("http://localhost:8080"), 101),
            ("/socket/websocket?vsn=2.0.0", Some("http://127.0.0.1"), 101),
            ("/socket/websocket?vsn=2.0.0", Some("http://[::1]:80"), 101),
            ("/socket/websocket?vsn=2.0.0", Some("https://elsewhere.example"), 403),
            ("/socket/websocket?vsn=2.0.0", Some("http://localhost.elsewhere.example"), 403),
            ("/socket/websocket?vsn=2.0.0", Some("null"), 403),
        ];
        for (uri, origin, expected) in cases {
            assert_eq!(status(uri, origin), expected, "{uri} {origin:?}");
        }
    }

    #[test]
    fn the_fixed_answer_announces_its_length() {
        let text = std::str::from_utf8(BAD_REQUEST).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
    }
}
