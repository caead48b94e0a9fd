//! Lists the scripts, so that each of them is a test and no guest can lack one.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = Path::new(&root);
    let mut text = String::from(
        "/// Calls a macro for each guest, with its name as a word, its name, and for each of its\n\
         /// scripts the name as a word, what it ends with being no part of it, and the text.\n\
         #[macro_export]\nmacro_rules! for_each_script {\n    ($each:ident) => {\n",
    );
    for guest in names(&root.join("guests"))? {
        if !root
            .join("guests")
            .join(&guest)
            .join("manifest.toml")
            .is_file()
        {
            continue;
        }
        let scripts = root.join("scripts").join(&guest);
        let _ = writeln!(text, "$each!({}, {guest:?},", guest.replace('-', "_"));
        for script in names(&scripts)? {
            let word = script.trim_end_matches(".txt");
            let path = scripts.join(&script);
            let _ = writeln!(text, "{word}: include_str!({path:?}),");
        }
        text.push_str(");\n");
    }
    text.push_str("    };\n}\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("scripts.rs"), text)
}

/// The names in a folder, sorted; cargo asks again when one is added.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
