//! Names that are traps: on the disk, in a store, in a URL.

use std::os::unix::ffi::OsStrExt;

use crate::home::{Home, errors, files};

#[test]
fn a_get_does_not_leave_its_directory_through_a_link() {
    let home = Home::new();
    std::fs::create_dir_all(home.objects("a").join("link")).expect("made");
    std::fs::write(home.objects("a").join("link/x"), "from the store").expect("written");
    std::fs::write(home.objects("a").join("fine"), "fine").expect("written");
    std::fs::create_dir_all(home.path("outside")).expect("made");
    std::fs::create_dir_all(home.path("down")).expect("made");
    std::os::unix::fs::symlink(home.path("outside"), home.path("down/link")).expect("linked");
    let output = home.run(&["get", "-r", "external://a", "down"]);
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(
        told.contains("ERROR: external://a/link/x leads out of down\nSQLSTATE: 22023\n"),
        "{told}"
    );
    assert_eq!(files(&home.path("outside")), Vec::<String>::new());
    assert_eq!(
        std::fs::read(home.path("down/fine")).expect("read"),
        b"fine"
    );
}

#[test]
fn an_object_where_a_directory_is_is_refused_by_its_name() {
    let home = Home::new();
    std::fs::create_dir_all(home.objects("a")).expect("made");
    for name in ["1", "2"] {
        std::fs::write(home.objects("a").join(name), name).expect("written");
    }
    std::fs::create_dir_all(home.path("down/1")).expect("made");
    let output = home.run(&["get", "-r", "external://a", "down"]);
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(
        told.contains("external://a/1 cannot be the file down/1"),
        "{told}"
    );
    assert!(told.contains("SQLSTATE: 22023"), "{told}");
    assert_eq!(files(&home.path("down")), ["2"]);
}

#[test]
fn a_file_whose_name_no_object_can_have_is_named() {
    let home = Home::new();
    std::fs::create_dir(home.path("tree")).expect("made");
    std::fs::write(home.path("tree/fine"), "x").expect("written");
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff");
    std::fs::write(home.path("tree").join(odd), "x").expect("written");
    std::fs::write(home.path("tree/line\nbreak"), "x").expect("written");
    let output = home.run(&["put", "-r", "tree", "external://a"]);
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(told.contains("ERROR: 2 of 3 were not copied"), "{told}");
    assert!(told.contains("is not UTF-8"), "{told}");
    assert_eq!(files(&home.objects("a")), ["fine"]);
}

#[test]
fn names_with_special_characters_go_there_and_back_by_their_escapes() {
    let home = Home::new();
    std::fs::create_dir(home.path("tree")).expect("made");
    let odd = ["a*", "a?", "a[1]", "a{1}", "50%", "a b", "#", "ü"];
    for name in odd {
        std::fs::write(home.path("tree").join(name), name).expect("written");
    }
    std::fs::write(home.path("tree/ab"), "ab").expect("written");
    home.done(&["put", "-r", "tree", "external://a"]);
    assert_eq!(home.done(&["cat", "external://a/a%2A"]), "a*");
    assert_eq!(home.done(&["cat", "external://a/a%3F"]), "a?");
    // The URLs that are printed lead back to the objects that are meant.
    let rows = home.done(&["rm", "-r", "external://a", "--dry-run", "--format", "tsv"]);
    for row in rows.lines().skip(1) {
        let url = row.split('\t').nth(1).expect("a source");
        let content = home.done(&["cat", url]);
        assert!(
            odd.contains(&content.as_str()) || content == "ab",
            "{url}: {content}"
        );
    }
    assert_eq!(rows.lines().count(), 1 + odd.len() + 1);
    assert_eq!(home.done(&["cat", "external://a/a?"]), "a*a?ab");
}
