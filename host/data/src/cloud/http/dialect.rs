//! How a server of files says things: HTTP itself, and WebDAV.

use http::request::Parts;
use http::{Method, StatusCode, header};

use crate::cloud::dialect::{MOST_WHOLE, may_repeat};
use crate::cloud::{Answer, Cause, Dialect, Reading, Words};

/// The words of the URI.
const WORDS: Words = Words {
    service: "the server",
    container: "folder",
    identity: "the user",
    secret: "the password",
    token: "the token",
    region: "",
};

/// The methods of WebDAV that are used.
pub(super) const PROPFIND: &str = "PROPFIND";
pub(super) const MKCOL: &str = "MKCOL";
pub(super) const COPY: &str = "COPY";

/// A server, as requests of one connection see it.
#[derive(Debug)]
pub(super) struct HttpDialect {
    /// Whether the URI has a user and a password.
    pub(super) has_user: bool,
}

impl Dialect for HttpDialect {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn permission(&self, asked: &Parts) -> Option<&'static str> {
        let permission = match asked.method.as_str() {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "PUT" => "PUT",
            "DELETE" => "DELETE",
            PROPFIND => PROPFIND,
            MKCOL => MKCOL,
            COPY => COPY,
            _ => return None,
        };
        Some(permission)
    }

    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        let cause = match answer.status {
            StatusCode::UNAUTHORIZED if self.has_user => Cause::WrongSecret,
            StatusCode::UNAUTHORIZED => Cause::CredentialsNeeded,
            StatusCode::METHOD_NOT_ALLOWED if asked.method.as_str() != MKCOL => {
                Cause::NotImplemented
            }
            StatusCode::INSUFFICIENT_STORAGE => Cause::TooLarge,
            StatusCode::LOCKED => Cause::Conflict,
            status if status.is_redirection() && leads_into_folder(asked, answer) => Cause::Folder,
            _ => return None,
        };
        Some((cause, None))
    }

    fn hint(&self, cause: &Cause) -> Option<&'static str> {
        match cause {
            Cause::WrongSecret => Some(
                "check the user and the password in the URI: what is not a letter or a digit is \
                 written with percent escapes there",
            ),
            Cause::CredentialsNeeded => Some("write USER:PASSWORD@ before the host in the URI"),
            Cause::AccessDenied { .. } => {
                Some("let the server allow the method there for the connection's user")
            }
            Cause::NotImplemented => Some(
                "have the server allow the method; a list and a copy need one that speaks WebDAV",
            ),
            Cause::TooLarge => Some("free space on the server, or raise its limit on bodies"),
            _ => None,
        }
    }

    fn passes(&self, asked: &Parts, status: StatusCode) -> bool {
        match status {
            StatusCode::NOT_MODIFIED
            | StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::RANGE_NOT_SATISFIABLE => true,
            // A folder that is there already.
            StatusCode::METHOD_NOT_ALLOWED => asked.method.as_str() == MKCOL,
            _ => false,
        }
    }

    fn may_repeat(&self, asked: &Parts) -> bool {
        may_repeat(asked) || asked.method.as_str() == MKCOL
    }

    fn reading(&self, asked: &Parts) -> Reading {
        match asked.method {
            Method::GET | Method::HEAD => Reading::Stream,
            _ => Reading::Whole(MOST_WHOLE),
        }
    }
}

/// Whether a redirect only adds the `/` of a folder.
fn leads_into_folder(asked: &Parts, answer: &Answer) -> bool {
    let location = answer.header(header::LOCATION.as_str());
    let Some(Ok(location)) = location.map(str::parse::<http::Uri>) else {
        return false;
    };
    location.path().strip_suffix('/') == Some(asked.uri.path())
        && location
            .host()
            .is_none_or(|host| Some(host) == asked.uri.host())
}
