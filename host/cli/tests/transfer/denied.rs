//! A server that the policy denies, and what its refusal says to do.

use portolan_servers::{Authority, Nginx};

use crate::home::{Home, errors};

#[test]
fn the_command_that_a_denial_names_admits_the_server() {
    let authority = Authority::new("of the servers");
    let nginx = Nginx::start(&authority, &["files.example"], &authority);
    let home = Home::new();
    let place = nginx.plain();
    let create = format!("CREATE EXTERNAL CONNECTION web AS 'http://{place}/daily'");
    let denied = home.run(&["sql", "-e", &create]);
    assert_eq!(denied.status.code(), Some(1), "{denied:?}");
    let told = errors(&denied);
    assert!(
        told.contains(&format!("the policy denies {place}, a loopback address\n")),
        "{told}"
    );
    let hint = format!(
        "HINT: if it is meant, allow it with --allow-egress {place}, or for good with portolan \
         policy allow {place}\n"
    );
    assert!(told.ends_with(&hint), "{told}");
    // The flag holds for one command, and may be given several times.
    let flags = ["--allow-egress", "10.0.0.0/8", "--allow-egress"];
    home.done(&[&flags[..], &[&place.to_string(), "sql", "-e", &create]].concat());
    std::fs::write(home.path("file"), "content").expect("written");
    let put = ["put", "file", "external://web/a"];
    let refused = home.run(&put);
    assert!(errors(&refused).contains("SQLSTATE: 42501"), "{refused:?}");
    home.done(&["policy", "allow", &place.to_string()]);
    let config = std::fs::read_to_string(home.path("store/portolan.toml"));
    assert_eq!(
        config.expect("it is there"),
        format!("[egress]\nallow = [\"{place}\"]\n")
    );
    home.done(&put);
    assert!(nginx.files().join("daily/a").exists());
}
