//! Which server a request is for: host and port of its target or its Host header field.
//!
//! # Invariants
//! - What a connection's last valid Host field said is remembered as text, so a client that repeats it, as nearly all
//!   do, costs a comparison and no parse.

use std::cell::RefCell;

use hinny_codec::authority;
use hinny_core::error::{HeadFault, Kind};
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};

use crate::connection::Connection;

/// The last Host field of a connection, and what it means.
#[derive(Debug, Default)]
pub(crate) struct LastHost {
    field: Vec<u8>,
    host: Box<str>,
    port: Option<u16>,
}

impl LastHost {
    /// Host and port.
    pub(crate) fn host_and_port(&self) -> (&str, Option<u16>) {
        (&self.host, self.port)
    }
}

impl Connection {
    /// Gives host and port, as far as the request says them, to `with`.
    ///
    /// # Errors
    /// [`Kind::HeadMalformed`] if the request breaks a rule about Host.
    pub(crate) fn with_server_name<T>(
        &self,
        parts: &Parts,
        with: impl FnOnce(Option<&str>, Option<u16>) -> T,
    ) -> Result<T, Kind> {
        let field = host_field(&parts.headers, parts.version).map_err(Kind::HeadMalformed)?;
        if let Some(field) = field {
            remember(&self.last_host, field.as_bytes()).map_err(Kind::HeadMalformed)?;
        }
        // RFC 9112 §3.2.2: the authority of an absolute target wins over the Host header field.
        if let Some(target) = parts.uri.authority() {
            let authority =
                authority::parse(target.as_str().as_bytes()).ok_or(Kind::HeadMalformed(HeadFault::HostInvalid))?;
            return Ok(with(Some(authority.host), authority.port));
        }
        if field.is_none() {
            return Ok(with(None, None));
        }
        Ok(self.with_last_host(|host, port| with(Some(host), port)))
    }

    /// Whether a Host field says a host; it is the last one then.
    pub(crate) fn knows_host(&self, field: &[u8]) -> bool {
        remember(&self.last_host, field).is_ok()
    }

    /// Gives host and port of the last Host field to `with`.
    pub(crate) fn with_last_host<T>(&self, with: impl FnOnce(&str, Option<u16>) -> T) -> T {
        let last = self.last_host.borrow();
        with(&last.host, last.port)
    }
}

/// RFC 9112 §3.2: exactly one Host header field in HTTP/1.1, at most one in HTTP/1.0.
fn host_field(headers: &HeaderMap, version: Version) -> Result<Option<&HeaderValue>, HeadFault> {
    let first = headers.get(HOST);
    if first.is_none() && version != Version::HTTP_10 {
        return Err(HeadFault::HostMissing);
    }
    let some_name_repeats = headers.len() != headers.keys_len();
    if some_name_repeats && headers.get_all(HOST).iter().nth(1).is_some() {
        return Err(HeadFault::HostRepeated);
    }
    Ok(first)
}

fn remember(last: &RefCell<LastHost>, field: &[u8]) -> Result<(), HeadFault> {
    let mut last = last.borrow_mut();
    // A host is never empty, so an empty one means that nothing is remembered.
    if last.host.is_empty() || last.field != field {
        let authority = authority::parse(field).ok_or(HeadFault::HostInvalid)?;
        *last = LastHost {
            field: field.to_vec(),
            host: authority.host.into(),
            port: authority.port,
        };
    }
    Ok(())
}
