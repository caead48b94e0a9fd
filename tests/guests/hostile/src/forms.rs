//! The forms in which a secret is told.

use crate::misdeeds::for_each_form;

macro_rules! choose {
    ($($form:ident,)*) => {
        /// The secret in a form by its name; as it is for an unknown one.
        pub(crate) fn told(form: &str, secret: &str) -> String {
            match form {
                $(stringify!($form) => $form(secret),)*
                _ => secret.to_owned(),
            }
        }
    };
}
for_each_form!(choose);

fn plain(secret: &str) -> String {
    secret.to_owned()
}

fn percent(secret: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    secret.bytes().map(escape).collect()
}

fn percent_of_every_byte(secret: &str) -> String {
    secret.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn json(secret: &str) -> String {
    let escape = |one: char| match one {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '/' => "\\/".to_owned(),
        one if one.is_ascii() => one.to_string(),
        one => unicode(one),
    };
    secret.chars().map(escape).collect()
}

fn json_of_every_character(secret: &str) -> String {
    secret.chars().map(unicode).collect()
}

fn unicode(one: char) -> String {
    let mut units = [0; 2];
    let units = one.encode_utf16(&mut units);
    units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn hex(secret: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_in_capitals(secret: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02X}")).collect()
}

fn base64(secret: &str) -> String {
    encoded(secret, true)
}

fn base64_after_one_byte(secret: &str) -> String {
    encoded(&format!(":{secret}"), true)
}

fn base64_after_two_bytes(secret: &str) -> String {
    encoded(&format!("u:{secret}"), true)
}

fn base64url(secret: &str) -> String {
    encoded(secret, false)
}

fn base64url_after_one_byte(secret: &str) -> String {
    encoded(&format!(":{secret}"), false)
}

fn base64url_after_two_bytes(secret: &str) -> String {
    encoded(&format!("u:{secret}"), false)
}

/// RFC 4648: section 4 with padding, or section 5 without.
fn encoded(text: &str, standard: bool) -> String {
    let alphabet: &[u8; 64] = if standard {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    } else {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    };
    let mut out = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = group
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                let digit = bits >> (18 - 6 * place) & 63;
                out.push(char::from(alphabet[digit as usize]));
            } else if standard {
                out.push('=');
            }
        }
    }
    out
}
