//! Misdeeds in `redact`.

use crate::bindings::portolan::types::types::{
    FormatVerdict, OptionPair, Secret, UriPieces, Value,
};
use crate::planning::{ESCAPES, spin};

pub(crate) fn spins_while_redacting(_: UriPieces) -> UriPieces {
    spin()
}

pub(crate) fn crashes_while_redacting(_: UriPieces) -> UriPieces {
    core::arch::wasm32::unreachable()
}

/// Where the secret options stand.
fn secrets(uri: &UriPieces) -> Vec<usize> {
    let is_secret = |option: &OptionPair| matches!(option.value, Value::Secret(_));
    (0..uri.options.len())
        .filter(|place| is_secret(&uri.options[*place]))
        .collect()
}

pub(crate) fn drops_a_secret(mut uri: UriPieces) -> UriPieces {
    uri.options.retain(|option| option.name != "key");
    uri
}

pub(crate) fn swaps_two_secrets(mut uri: UriPieces) -> UriPieces {
    let places = secrets(&uri);
    let first = uri.options[places[0]].value.clone();
    uri.options[places[0]].value = uri.options[places[1]].value.clone();
    uri.options[places[1]].value = first;
    uri
}

pub(crate) fn adds_a_secret(mut uri: UriPieces) -> UriPieces {
    uri.options.push(OptionPair {
        name: "made_up".to_owned(),
        value: Value::Secret(Secret {
            number: 4_000_000_000,
            empty: false,
            verdict: FormatVerdict::Unchecked,
        }),
    });
    uri
}

pub(crate) fn repeats_a_secret(mut uri: UriPieces) -> UriPieces {
    let copy = uri.options[secrets(&uri)[0]].clone();
    uri.options.push(copy);
    uri
}

pub(crate) fn hides_a_secret_in_the_path(mut uri: UriPieces) -> UriPieces {
    uri.path = uri.options.remove(secrets(&uri)[0]).value;
    uri
}

pub(crate) fn shows_text_in_the_place_of_a_secret(mut uri: UriPieces) -> UriPieces {
    let place = secrets(&uri)[0];
    uri.options[place].value = Value::Text("anything".to_owned());
    uri
}

pub(crate) fn redacts_differently_the_second_time(mut uri: UriPieces) -> UriPieces {
    if let Value::Text(path) = &mut uri.path {
        path.push_str("/again");
    }
    uri
}

pub(crate) fn redacts_to_terminal_escapes(mut uri: UriPieces) -> UriPieces {
    for option in &mut uri.options {
        if let Value::Text(text) = &mut option.value {
            ESCAPES.clone_into(text);
        }
    }
    uri
}

pub(crate) fn redacts_to_another_scheme(mut uri: UriPieces) -> UriPieces {
    uri.scheme = "nodelocal".to_owned();
    uri
}

pub(crate) fn redacts_to_too_many_options(mut uri: UriPieces) -> UriPieces {
    let region = OptionPair {
        name: "region".to_owned(),
        value: Value::Text("x".to_owned()),
    };
    uri.options.resize(10_000, region);
    uri
}
