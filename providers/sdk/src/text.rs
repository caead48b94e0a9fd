//! Texts put together without the formatting machinery, which weighs more than a small provider.

/// The pieces, one after another.
#[must_use]
pub fn joined(pieces: &[&str]) -> String {
    let mut text = String::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        text.push_str(piece);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_one_another() {
        assert_eq!(joined(&["a", "", " b"]), "a b");
        assert_eq!(joined(&[]), "");
    }
}
