//! The authority after its userinfo: one host, or several with commas between them.

use crate::AuthorityHost;

/// The hosts and ports of an authority; none where a port is no number.
pub(crate) fn authority_hosts(authority: &str) -> Option<Vec<AuthorityHost>> {
    if authority.is_empty() {
        return Some(Vec::new());
    }
    authority.split(',').map(host).collect()
}

fn host(text: &str) -> Option<AuthorityHost> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((literal, "")) => (literal, None),
        Some((literal, after)) => (literal, Some(after.strip_prefix(':')?)),
        // Everything after the first colon is a port, so that nothing but a number stands there.
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    Some(AuthorityHost {
        host: host.to_owned(),
        port: port.map(parse_port).transpose().ok()?,
    })
}

fn parse_port(text: &str) -> Result<u16, ()> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(());
    }
    text.parse().map_err(|_| ())
}

/// The host in the value of an option that is a URL, or a bare host with or without a port.
fn host_of_value(value: &str) -> Option<String> {
    let url = if value.contains("://") {
        url::Url::parse(value)
    } else {
        url::Url::parse(&format!("https://{value}"))
    };
    let url = url.ok()?;
    let host = url.host_str()?;
    Some(
        host.strip_prefix('[')
            .and_then(|literal| literal.strip_suffix(']'))
            .unwrap_or(host)
            .to_owned(),
    )
}

/// The hosts in the value of an option: of a URL, or of several places with commas between them.
pub(crate) fn hosts_of_value(value: &str) -> Vec<String> {
    // Within a URL a comma parts nothing.
    if value.contains('/') {
        return host_of_value(value).into_iter().collect();
    }
    let places = value.split(',');
    places
        .filter_map(|place| match place.parse::<std::net::IpAddr>() {
            Ok(_) => Some(place.to_owned()),
            Err(_) => host_of_value(place),
        })
        .collect()
}

/// Whether a public value is a URL with a userinfo. `is_url` says that it is one even without a
/// scheme; otherwise a value with `://` is.
pub(super) fn has_userinfo(value: &str, is_url: bool) -> bool {
    let authority_has_at = |rest: &str| {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        rest.get(..end)
            .is_some_and(|authority| authority.contains('@'))
    };
    // Every `://`, so that a URL within another prefix (`jdbc:…`) is seen as well.
    let written_out = value.split("://").skip(1).any(authority_has_at);
    // What browsers and HTTP clients read as one: backslashes, missing slashes, tabs.
    let lenient = url::Url::parse(value)
        .is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
    let bare = is_url && !value.contains("://") && authority_has_at(value);
    written_out || lenient || bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(authority: &str) -> Option<Vec<(String, Option<u16>)>> {
        let hosts = authority_hosts(authority)?;
        Some(hosts.into_iter().map(|one| (one.host, one.port)).collect())
    }

    #[test]
    fn every_host_has_its_own_port() {
        assert_eq!(hosts(""), Some(vec![]));
        assert_eq!(
            hosts("a:1,b,[::1]:3,[fe80::1]"),
            Some(vec![
                ("a".into(), Some(1)),
                ("b".into(), None),
                ("::1".into(), Some(3)),
                ("fe80::1".into(), None),
            ])
        );
        for wrong in [
            "a:b", "a:1:2", "a:", "a:+1", "a:65536", "[::1]x", "[::1]:", "a:1,b:c",
        ] {
            assert_eq!(hosts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_option_may_hold_a_url_or_a_bare_host() {
        assert_eq!(
            host_of_value("https://Minio.example.org:9000/x").as_deref(),
            Some("minio.example.org")
        );
        assert_eq!(
            host_of_value("minio.example.org:9000").as_deref(),
            Some("minio.example.org")
        );
        assert_eq!(host_of_value("http://[::1]:9000").as_deref(), Some("::1"));
        assert_eq!(host_of_value("0x7f.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(host_of_value(""), None);
    }

    #[test]
    fn a_userinfo_is_seen_however_the_url_is_spelled() {
        for url in [
            "https://u:p@h",
            "https://u@h/x",
            "https:\\\\u:p@h",
            "https:u:p@h",
            "jdbc:postgresql://u:p@h/db",
            " https://u:p@h",
            "https://a,b@h",
        ] {
            assert!(has_userinfo(url, false), "{url}");
        }
        assert!(has_userinfo("u:p@h:9000", true));
        for plain in [
            "",
            "https://h/x@y",
            "me@example.com",
            "a/b@c",
            "https://h?m=a@b",
        ] {
            assert!(!has_userinfo(plain, false), "{plain}");
        }
        assert!(!has_userinfo("h:9000/x@y", true));
    }
}
