//! The names of keys and of their versions.

/// What stands before each part of a key's name.
const COLLECTIONS: [&str; 4] = ["projects", "locations", "keyRings", "cryptoKeys"];

/// What stands before the number of a version.
const VERSIONS: &str = "/cryptoKeyVersions/";

/// The longest part of a name, in bytes: a project of an organisation has its domain before it.
const MAX_PART_BYTES: usize = 128;

/// A name without the version at its end, and that version.
pub(crate) fn split_version(name: &str) -> (&str, Option<&str>) {
    match name.split_once(VERSIONS) {
        Some((key, version)) => (key, Some(version)),
        None => (name, None),
    }
}

/// Whether a version is what the service calls one: a number.
pub(crate) fn is_version(version: &str) -> bool {
    (1..=19).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is the whole name of a key. Each part becomes a segment of a path.
pub(crate) fn is_key(name: &str) -> bool {
    let mut segments = name.split('/');
    let is_part = |(place, part): (usize, &str)| {
        // Only the project of a domain has a colon, or dots.
        let in_part = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'_')
                || place == 0 && matches!(byte, b':' | b'.')
        };
        (1..=MAX_PART_BYTES).contains(&part.len())
            && part.bytes().all(in_part)
            && part.bytes().any(|byte| byte.is_ascii_alphanumeric())
    };
    let all = COLLECTIONS.into_iter().enumerate().all(|(place, name)| {
        segments.next() == Some(name) && segments.next().is_some_and(|part| is_part((place, part)))
    });
    all && segments.next().is_none()
}

/// Whether two names mean one key. A project has a number beside its id, and either may stand there:
/// only the service knows which id a number belongs to, but two ids are two projects, as are two
/// numbers.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let (Some((one, one_rest)), Some((other, other_rest))) =
        (split_project(one), split_project(other))
    else {
        return false;
    };
    let is_number = |project: &str| project.bytes().all(|byte| byte.is_ascii_digit());
    one_rest == other_rest && (one == other || is_number(one) != is_number(other))
}

/// The project of a name, and what follows it.
fn split_project(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("projects/")?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";

    #[test]
    fn a_name_has_four_parts() {
        assert!(is_key(KEY));
        assert!(is_key(
            "projects/example.com:p-1/locations/europe-west3/keyRings/R_1/cryptoKeys/K-2"
        ));
        for wrong in [
            "",
            "k",
            "projects/p/locations/eu/keyRings/r/cryptoKeys",
            "projects/p/locations/eu/keyRings/r/cryptoKeys/",
            "projects/p/locations/eu/keyRings/r/cryptoKeys/k/",
            "projects/p/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            "projects/../locations/eu/keyRings/r/cryptoKeys/k",
            "projects/p/locations/eu/keyRings/r/cryptoKeys/k:destroy",
            "projects/p/locations/e.u/keyRings/r/cryptoKeys/k",
            "projects/p/locations/eu/keyrings/r/cryptoKeys/k",
            "projects/p/locations/eu/keyRings/r?/cryptoKeys/k",
            "/projects/p/locations/eu/keyRings/r/cryptoKeys/k",
        ] {
            assert!(!is_key(wrong), "{wrong}");
        }
        let long = format!("{}{}", &KEY[..KEY.len() - 1], "k".repeat(129));
        assert!(!is_key(&long));
    }

    #[test]
    fn a_version_is_a_number_at_the_end() {
        let name = format!("{KEY}/cryptoKeyVersions/12");
        assert_eq!(split_version(&name), (KEY, Some("12")));
        assert_eq!(split_version(KEY), (KEY, None));
        assert!(is_version("12"));
        for wrong in ["", "a", "1/2", "-1", "12345678901234567890"] {
            assert!(!is_version(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_project_may_be_called_by_its_number() {
        let of = |project: &str| KEY.replace("/p/", project);
        assert!(is_same(KEY, KEY));
        assert!(is_same(&of("/1234/"), &of("/1234/")));
        for id in ["/p/", "/p-1/", "/1234p/", "/example.com:p/"] {
            assert!(is_same(&of(id), &of("/1234/")), "{id}");
            assert!(is_same(&of("/1234/"), &of(id)), "{id}");
        }
        for other in [of("/1234/"), KEY.to_owned()] {
            for wrong in [
                other.replace("/k", "/other"),
                other.replace("/eu/", "/us/"),
                other.replace("/r/", "/s/"),
                other.replace("/cryptoKeys/k", ""),
            ] {
                assert!(!is_same(KEY, &wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn two_projects_have_two_keys_whatever_these_are_called() {
        let of = |project: &str| KEY.replace("/p/", project);
        for (one, other) in [
            ("/p/", "/q/"),
            ("/p/", "/P/"),
            ("/p/", "/example.com:p/"),
            ("/1234/", "/12345/"),
            ("/1234/", "/01234/"),
        ] {
            assert!(!is_same(&of(one), &of(other)), "{one} {other}");
            assert!(!is_same(&of(other), &of(one)), "{other} {one}");
        }
        assert!(!is_same("", "") && !is_same("k", "k"));
    }
}
