//! Lists the scripts, so that each of them is a test and no guest can lack one.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = Path::new(&root);
    let guests = names(&root.join("guests"))?;
    let has_manifest = |guest: &String| {
        let folder = root.join("guests").join(guest);
        folder.join("manifest.toml").is_file()
    };
    let guests: Vec<_> = guests.into_iter().filter(has_manifest).collect();
    let mut built_in = names(&root.join("scripts"))?;
    built_in.retain(|name| !guests.contains(name));
    let mut text = listed(root, "for_each_script", "guest of this folder", &guests)?;
    text += &listed(
        root,
        "for_each_built_in_script",
        "built-in provider",
        &built_in,
    )?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("scripts.rs"), text)
}

/// A macro that lists the scripts of these walkers.
fn listed(root: &Path, name: &str, what: &str, walkers: &[String]) -> io::Result<String> {
    let mut text = format!(
        "/// Calls a macro for each {what} with scripts: with its name as a word, its name, and for\n\
         /// each of its scripts the name as a word, what it ends with being no part of it, and the\n\
         /// text.\n\
         #[macro_export]\nmacro_rules! {name} {{\n    ($each:ident) => {{\n",
    );
    for walker in walkers {
        let scripts = root.join("scripts").join(walker);
        let _ = writeln!(text, "$each!({}, {walker:?},", walker.replace('-', "_"));
        for script in names(&scripts)? {
            let word = script.trim_end_matches(".txt");
            let path = scripts.join(&script);
            let _ = writeln!(text, "{word}: include_str!({path:?}),");
        }
        text.push_str(");\n");
    }
    text.push_str("    };\n}\n");
    Ok(text)
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
