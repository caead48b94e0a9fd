use super::*;

fn pointers(texts: &[&str]) -> Vec<JsonPointer> {
    let read = |text: &&str| JsonPointer::try_from((*text).to_owned()).expect("a pointer");
    texts.iter().map(read).collect()
}

fn found<'a>(document: &'a str, texts: &[&str]) -> Result<Vec<(usize, &'a str)>, DocumentError> {
    let pointers = pointers(texts);
    let members = find_members(document.as_bytes(), &pointers.iter().collect::<Vec<_>>())?;
    let inside = |member: &Member| (member.pointer, &document[member.start..member.end]);
    Ok(members.iter().map(inside).collect())
}

#[test]
fn strings_are_found_in_the_order_of_the_document() {
    let document = r#" {"b":{"c":[1,"x\"y",{"d":"z"}]} , "Plaintext" : "aGk=","n":-1.5e+3} "#;
    assert_eq!(
        found(
            document,
            &["/Plaintext", "/b/c/1", "/b/c/2/d", "/absent", "/b/c/01"]
        ),
        Ok(vec![(1, "x\\\"y"), (2, "z"), (0, "aGk=")])
    );
    assert_eq!(found("[true,false,null,0]", &["/a"]), Ok(vec![]));
}

#[test]
fn a_name_with_escapes_is_the_same_name() {
    assert_eq!(
        found(r#"{"\u0050laintext":"aGk="}"#, &["/Plaintext"]),
        Ok(vec![(0, "aGk=")])
    );
    assert_eq!(
        found("{\"\\ud83d\\ude00/~\":\"x\"}", &["/\u{1f600}~1~0"]),
        Ok(vec![(0, "x")])
    );
}

#[test]
fn a_member_that_stands_twice_is_refused_however_it_is_written() {
    for document in [r#"{"a":"x","a":"y"}"#, r#"{"a":"x","\u0061":"y"}"#] {
        assert_eq!(
            found(document, &["/a"]),
            Err(DocumentError::Twice(0)),
            "{document}"
        );
    }
    assert_eq!(
        found(r#"{"o":{"a":"x"},"o":{"a":"y"}}"#, &["/b", "/o/a"]),
        Err(DocumentError::Twice(1))
    );
}

#[test]
fn what_is_no_string_is_refused() {
    for value in ["null", "1", "true", "[]", "{}", "[\"x\"]"] {
        let document = format!("{{\"a\":{value}}}");
        assert_eq!(
            found(&document, &["/a"]),
            Err(DocumentError::NotText(0)),
            "{document}"
        );
    }
}

/// What the strict reader takes, the usual one takes as well, and the other way round but for depth,
/// broken escapes and names that stand twice.
#[test]
fn what_is_no_json_is_refused() {
    for document in [
        "",
        " ",
        "{",
        "{}{}",
        "{\"a\":1,}",
        "[1,]",
        "{a:1}",
        "{\"a\" 1}",
        "01",
        "1.",
        "-",
        "+1",
        ".5",
        "1e",
        "nul",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"a\nb\"",
        "\u{feff}{}",
        "'a'",
        "{\"a\":1}x",
        "[1 2]",
        "{\"\\ud800\":1}",
    ] {
        assert_eq!(
            found(document, &[]),
            Err(DocumentError::NotJson),
            "{document}"
        );
    }
    assert_eq!(find_members(b"\"\xff\"", &[]), Err(DocumentError::NotJson));
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(found(&deep(MAX_DEPTH), &[]), Ok(vec![]));
    assert_eq!(
        found(&deep(MAX_DEPTH + 2), &[]),
        Err(DocumentError::NotJson)
    );
    assert_eq!(
        found(&"[".repeat(1 << 20), &[]),
        Err(DocumentError::NotJson)
    );
}

proptest::proptest! {
    #[test]
    fn the_reader_agrees_with_the_usual_one(text in "[\\[\\]{}:,\"0-9a-u\\\\ .eE+-]{0,24}") {
        let usual = serde_json::from_str::<serde_json::Value>(&text);
        match found(&text, &[]) {
            Ok(_) => proptest::prop_assert!(
                usual.as_ref().err().is_none_or(|error| error.to_string().contains("out of range")),
                "{:?}", usual
            ),
            Err(_) => proptest::prop_assert!(usual.is_err(), "{}", text),
        }
    }

    #[test]
    fn what_the_usual_one_writes_is_read_back(value in ".{0,24}", name in ".{0,8}") {
        let mut document = serde_json::Map::new();
        document.insert(name.clone(), serde_json::Value::String(value.clone()));
        let text = serde_json::Value::Object(document).to_string();
        let written = name.replace('~', "~0").replace('/', "~1");
        let Ok(pointer) = JsonPointer::try_from(format!("/{written}")) else {
            return Ok(());
        };
        let members = find_members(text.as_bytes(), &[&pointer]).expect("JSON");
        let inside = &text.as_bytes()[members[0].start..members[0].end];
        proptest::prop_assert!(is_inside_of_a_string(inside));
        proptest::prop_assert_eq!(unescaped(inside), Some(value));
    }
}

#[test]
fn only_what_needs_no_escape_can_stand_in_a_string() {
    for right in ["", "aGk=", "a\\\"b\\u00e4", "\u{e4}"] {
        assert!(is_inside_of_a_string(right.as_bytes()), "{right}");
    }
    for wrong in [
        "\"",
        "a\"b",
        "a\nb",
        "\\",
        "\\x",
        "\\\\\\",
        "\",\"admin\":\"1",
    ] {
        assert!(!is_inside_of_a_string(wrong.as_bytes()), "{wrong}");
        assert_eq!(unescaped(wrong.as_bytes()), None, "{wrong}");
    }
    assert!(!is_inside_of_a_string(b"\xff"));
}

#[test]
fn opaque_parts_fill_the_members_and_nothing_else() {
    let pointers = pointers(&["/p", "/q"]);
    let pointers: Vec<_> = pointers.iter().collect();
    let judged = |document: &str, opaque: &[usize]| filled(document.as_bytes(), opaque, &pointers);
    let document = r#"{"k":"x","p":""}"#;
    let place = document.len() - 2;
    assert_eq!(judged(document, &[place]), Filled::Rightly);
    assert_eq!(judged(r#"{"k":"x"}"#, &[]), Filled::Rightly);
    // None, two of them, one beside, one in another member, one in a name, one in a filled member.
    assert_eq!(judged(document, &[]), Filled::Wrongly);
    assert_eq!(judged(document, &[place, place]), Filled::Wrongly);
    assert_eq!(judged(document, &[place - 1]), Filled::Wrongly);
    assert_eq!(judged(r#"{"k":"","p":""}"#, &[6, 13]), Filled::Wrongly);
    assert_eq!(judged(r#"{"":"x"}"#, &[2]), Filled::Wrongly);
    assert_eq!(judged(r#"{"p":"x"}"#, &[6]), Filled::Wrongly);
    assert_eq!(judged("p=", &[2]), Filled::Wrongly);
}
