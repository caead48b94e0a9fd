//! A field that is one value, or a list of several.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    More(Vec<T>),
    One(T),
}

pub(super) fn read<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Vec<T>, D::Error> {
    Ok(match OneOrMore::deserialize(value)? {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    })
}

pub(super) fn write<S: Serializer, T: Serialize>(
    values: &Vec<T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match values.as_slice() {
        [one] => one.serialize(to),
        more => more.serialize(to),
    }
}
