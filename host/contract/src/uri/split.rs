//! The lexical split of a connection URI.
//!
//! It follows appendix B of RFC 3986 and resolves and normalises nothing. Whatever could show a
//! part of a secret that somebody forgot to escape is refused here, for every provider: the pieces
//! before `?` are shown as given, so nothing of a password may end up in them.

use portolan_secret::SecretText;

use super::error::{Ordinal, Position};
use super::{SecretPlace, Secrets, UriError, authority, escape};
use crate::manifest::is_option_name;
use crate::text::is_hidden;
use crate::{
    Format, Manifest, OptionPair, OptionRule, UnknownOptions, UriPieces, Value, Visibility,
};

/// The longest URI, in bytes.
pub const MAX_URI_BYTES: usize = 1024 * 1024;

/// The most options in a URI.
pub const MAX_URI_OPTIONS: usize = 256;

/// A URI taken apart: what a provider may see, and the secrets that its numbers stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitUri {
    /// The pieces, with numbers in the place of secrets.
    pub pieces: UriPieces,
    /// The secrets.
    pub secrets: Secrets,
}

impl SplitUri {
    /// The pieces as the provider sees them in phase one, where its manifest reveals a secret of
    /// this URI to planning: those of [`SplitUri::pieces`], with the revealed values in clear. One
    /// that is not UTF-8 stays a secret. `None` where nothing is revealed, as with every provider
    /// that is built in.
    #[must_use]
    pub fn revealed_pieces(&self, manifest: &Manifest) -> Option<UriPieces> {
        if manifest.reveal.planning.is_empty() {
            return None;
        }
        let mut pieces = self.pieces.clone();
        let values = [&mut pieces.user, &mut pieces.password]
            .into_iter()
            .flatten();
        let options = pieces.options.iter_mut().map(|pair| &mut pair.value);
        for value in values.chain([&mut pieces.path]).chain(options) {
            let Value::Secret(reference) = value else {
                continue;
            };
            let Some(secret) = self.secrets.get(reference.number) else {
                continue;
            };
            let place = secret.place().to_string();
            if !manifest.reveal.planning.contains(&place) {
                continue;
            }
            if let Ok(text) = std::str::from_utf8(secret.given().expose()) {
                let slash = if *secret.place() == SecretPlace::Path {
                    "/"
                } else {
                    ""
                };
                *value = Value::Text(format!("{slash}{text}"));
            }
        }
        (pieces != self.pieces).then_some(pieces)
    }
}

/// The scheme of a URI, in lower case.
///
/// # Errors
///
/// [`UriError`] where the text does not begin with a scheme and a colon.
pub fn scheme_of(uri: &str) -> Result<String, UriError> {
    let scheme = uri
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .filter(|scheme| {
            let mut bytes = scheme.bytes();
            scheme.len() <= 32
                && bytes
                    .next()
                    .is_some_and(|first| first.is_ascii_alphabetic())
                && bytes
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        });
    scheme.map(str::to_ascii_lowercase).ok_or_else(|| {
        UriError::new("the URI does not begin with a scheme")
            .hint("write it as scheme://host/path?NAME=value")
    })
}

/// The URI as it is stored: as given, but for the scheme, which is in lower case.
///
/// # Errors
///
/// As [`scheme_of`].
pub fn with_lower_case_scheme(uri: &SecretText) -> Result<SecretText, UriError> {
    let scheme = scheme_of(uri.expose())?;
    let mut stored = String::with_capacity(uri.len());
    stored.push_str(&scheme);
    stored.push_str(uri.expose().get(scheme.len()..).unwrap_or_default());
    Ok(SecretText::new(stored))
}

/// Takes a URI apart by the rules of its provider's manifest.
///
/// # Errors
///
/// [`UriError`] for what cannot be read in one way only, or might show a part of a secret. The
/// error holds nothing of the URI.
pub fn split(uri: &SecretText, manifest: &Manifest) -> Result<SplitUri, UriError> {
    let text = uri.expose();
    if text.len() > MAX_URI_BYTES {
        return Err(UriError::new(format!(
            "the URI has {} bytes; the most is {MAX_URI_BYTES}",
            text.len()
        )));
    }
    let scheme = scheme_of(text)?;
    if !manifest.schemes.contains(&scheme) {
        return Err(UriError::new(format!(
            "the provider {} does not answer for the scheme of this URI",
            manifest.name
        )));
    }
    refuse_unescaped(text)?;
    let parts = Parts::of(text, &scheme)?;
    let mut secrets = Secrets::default();
    let (user, password) = parts.userinfo(manifest, &mut secrets);
    refuse_misplaced_password(text, &parts, manifest)?;
    let path = match (manifest.path, parts.path.strip_prefix('/')) {
        (Visibility::Secret, Some(path)) => Value::Secret(secrets.add_path(path)),
        // Without a `/` the path is empty, and there is nothing to hide.
        _ => Value::Text(parts.path.to_owned()),
    };
    let options = options(parts.query, manifest, &mut secrets)?;
    let pieces = UriPieces {
        scheme,
        user,
        password,
        authority: parts.authority.to_owned(),
        path,
        options,
    };
    Ok(SplitUri { pieces, secrets })
}

/// Refuses, by its place, the first character that has to be escaped wherever it stands.
fn refuse_unescaped(text: &str) -> Result<(), UriError> {
    let query = text.find('?').unwrap_or(text.len());
    let wrong = text.char_indices().find_map(|(at, character)| {
        let what = match character {
            _ if character.is_control() => "a control character",
            '#' => "a fragment",
            ';' if at > query => "a raw ; in its query",
            // What stands before the query is shown as given, and has to look like what it is.
            _ if at < query && is_hidden(character) => "an invisible character",
            _ => return None,
        };
        Some((at, what, character))
    });
    let broken = escape::broken_escape(text);
    match (wrong, broken) {
        (Some((at, what, character)), broken) if broken.is_none_or(|other| at < other) => {
            Err(UriError::unescaped(text, at, what, character))
        }
        (_, Some(at)) => Err(UriError::unescaped(
            text,
            at,
            "a broken percent escape",
            '%',
        )),
        _ => Ok(()),
    }
}

/// The parts of a URI, as given.
struct Parts<'a> {
    userinfo: Option<&'a str>,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, scheme: &str) -> Result<Self, UriError> {
        let rest = text
            .get(scheme.len()..)
            .and_then(|rest| rest.strip_prefix("://"))
            .ok_or_else(|| {
                UriError::new("the scheme of the URI is not followed by ://")
                    .hint("write it as scheme://host/path?NAME=value; the host may be empty")
            })?;
        let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = hierarchy.split_at(hierarchy.find('/').unwrap_or(hierarchy.len()));
        let (userinfo, authority) = match authority.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo), authority),
            None => (None, authority),
        };
        Ok(Self {
            userinfo,
            authority,
            path,
            query,
        })
    }

    fn userinfo(
        &self,
        manifest: &Manifest,
        secrets: &mut Secrets,
    ) -> (Option<Value>, Option<Value>) {
        match self
            .userinfo
            .map(|userinfo| (userinfo, userinfo.split_once(':')))
        {
            None => (None, None),
            Some((_, Some((user, password)))) => (
                Some(Value::Text(user.to_owned())),
                Some(Value::Secret(
                    secrets.add_text(SecretPlace::Password, password),
                )),
            ),
            Some((user, None)) if manifest.user == Visibility::Public => {
                (Some(Value::Text(user.to_owned())), None)
            }
            Some((user, None)) => (
                Some(Value::Secret(secrets.add_text(SecretPlace::User, user))),
                None,
            ),
        }
    }
}

/// A `/`, `?` or `#` in a user or password ends the authority early: the beginning of it then looks
/// like a host or a port, and its end like a path with an `@`.
///
/// An `@` is legal in a path, and many a key in a bucket holds one. So it is refused only where what
/// stands before the path may be the beginning of a secret: where that has a `:` or an `@` of its
/// own, or where the provider dials the authority. Before a bucket nobody writes a token.
fn refuse_misplaced_password(
    text: &str,
    parts: &Parts<'_>,
    manifest: &Manifest,
) -> Result<(), UriError> {
    if authority::authority_hosts(parts.authority).is_none() {
        return Err(UriError::new("a port in the URI is no number from 0 to 65535").hint(
            "in a password write / as %2F, ? as %3F and @ as %40; an IPv6 address stands in brackets",
        ));
    }
    let may_be_cut =
        parts.userinfo.is_some() || parts.authority.contains(':') || manifest.dials_authority();
    match parts.path.find('@') {
        Some(in_path) if may_be_cut => {
            let path = text.find('?').unwrap_or(text.len()) - parts.path.len();
            Err(UriError::new(format!(
                "the URI has an @ in its path at {}, which may be the end of a user or password",
                Position::of(text, path + in_path)
            ))
            .hint("in a user or password write / as %2F; in a path write @ as %40"))
        }
        _ => Ok(()),
    }
}

fn options(
    query: &str,
    manifest: &Manifest,
    secrets: &mut Secrets,
) -> Result<Vec<OptionPair>, UriError> {
    let mut pairs = Vec::new();
    for (place, pair) in query.split('&').enumerate() {
        if pair.is_empty() {
            continue;
        }
        if pairs.len() == MAX_URI_OPTIONS {
            return Err(UriError::new(format!(
                "the URI has more than {MAX_URI_OPTIONS} parameters"
            )));
        }
        pairs.push(option(Ordinal(place + 1), pair, manifest, secrets)?);
    }
    Ok(pairs)
}

fn option(
    place: Ordinal,
    pair: &str,
    manifest: &Manifest,
    secrets: &mut Secrets,
) -> Result<OptionPair, UriError> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(
            UriError::new(format!("the {place} parameter of the URI has no ="))
                .hint("write & as %26 in the value before it"),
        );
    };
    let Some(name) = String::from_utf8(escape::decode_query(name))
        .ok()
        .filter(|name| is_option_name(name))
    else {
        return Err(UriError::new(format!(
            "the {place} parameter of the URI has no name that an option can have"
        ))
        .hint(
            "a name is a letter, then at most 63 letters, digits, _, . or -; write & as %26 in the \
             value before it",
        ));
    };
    let value = match manifest.option(&name) {
        Some(rule) if rule.public => Value::Text(public_value(rule, value, manifest)?),
        Some(rule) => Value::Secret(secrets.add_option(&name, value, rule.format)),
        None if manifest.unknown_options == UnknownOptions::Refuse => {
            let error = UriError::new(format!(
                "the {place} parameter of the URI is no option of the provider {}",
                manifest.name
            ));
            return Err(match manifest.nearest_option(&name) {
                Some(nearest) => error.hint(format!("did you mean {nearest}?")),
                None => error.hint("write & as %26 in the value before it, or leave it out"),
            });
        }
        None => Value::Secret(secrets.add_option(&name, value, Format::Text)),
    };
    Ok(OptionPair { name, value })
}

fn public_value(rule: &OptionRule, value: &str, manifest: &Manifest) -> Result<String, UriError> {
    let Ok(value) = String::from_utf8(escape::decode_query(value)) else {
        return Err(
            UriError::new(format!("the value of {} is not UTF-8", rule.name))
                .hint("write its bytes as percent escapes of UTF-8")
                .option(&rule.name),
        );
    };
    let is_url = rule.token_url || manifest.refers_to(&rule.name);
    if authority::has_userinfo(&value, is_url) {
        return Err(UriError::new(format!(
            "the value of {} is a URL with a user or password, and it would be shown",
            rule.name
        ))
        .hint("leave out what stands before the @, and give credentials in options of their own")
        .option(&rule.name));
    }
    Ok(value)
}
