//! How a large put ends, and what doctor says then.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::home::errors;
use crate::service::{Server, Service};

const NAME: &str = "external://cloud/large & 100%25";

/// Begins a put of which 24 MiB have come, and which goes on; `sees` says that the server has some.
fn endless_put(service: &Service, sees: impl Fn() -> bool) -> Child {
    let mut child = service
        .home
        .command(&["put", "-", NAME])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(&vec![7; 24 << 20]).expect("written");
    let end = Instant::now() + Duration::from_secs(60);
    while !sees() {
        assert!(Instant::now() < end, "no upload was begun");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Ends the put so that the program has no say in it.
fn kill(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// Interrupts the put as ctrl-C does.
fn interrupt(mut child: Child) {
    #[expect(clippy::disallowed_methods, reason = "the test sends a signal")]
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    // To wait would close the pipe, and where its end came before the signal the put would be whole.
    let input = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(
        errors(&output),
        "ERROR: interrupted: 0 copied, 1 not copied\nSQLSTATE: 57014\nDETAIL: not copied: -\n\
         HINT: what was finished before stays; run it again for the rest\n"
    );
}

/// Whether doctor names an upload of the connection.
fn named(service: &Service) -> bool {
    let told = service.doctor(&[]);
    told.iter().any(|row| row[0] == "external://cloud")
}

const NOTHING: [&str; 4] = [
    "uploads",
    "ok",
    "nothing is left in the storage of one connection",
    "",
];

const BY_AGE: &str = "where no command is writing them, give them up by their age: portolan doctor \
                      --clean 1d";

#[test]
fn doctor_names_what_a_kill_left_in_moto_and_gives_it_up_by_its_age() {
    let service = Service::s3();
    assert_eq!(service.doctor(&[]), [NOTHING]);
    kill(endless_put(&service, || named(&service)));
    let left = "an upload was left unfinished: large & 100% (begun 2010-11-10T20:48:33Z)";
    let expected = ["external://cloud", "warning", left, BY_AGE];
    assert_eq!(service.doctor(&[]), [expected]);
    assert_eq!(service.doctor(&["--clean", "100y"]), [expected]);
    assert_eq!(service.objects(), "path");
    let given_up = "an unfinished upload was given up: large & 100% (begun 2010-11-10T20:48:33Z)";
    assert_eq!(
        service.doctor(&["--clean", "1d"]),
        [["external://cloud", "ok", given_up, ""]]
    );
    assert_eq!(service.doctor(&[]), [NOTHING]);
}

#[test]
fn doctor_names_what_a_kill_left_in_a_stand_in_for_cloud_storage_and_gives_it_up_by_its_age() {
    let service = Service::gs();
    let Server::Gs(google) = &service.server else {
        unreachable!("it was made so")
    };
    assert_eq!(service.doctor(&[]), [NOTHING]);
    kill(endless_put(&service, || google.uploads() == 1));
    for arguments in [&[][..], &["--clean", "1d"]] {
        let told = service.doctor(arguments);
        let [[name, outcome, detail, hint]] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!((&**name, &**outcome), ("external://cloud", "warning"));
        let left = "an upload was left unfinished: large & 100% (begun 2";
        assert!(detail.starts_with(left), "{detail}");
        assert_eq!(hint, BY_AGE);
    }
    let told = service.doctor(&["--clean", "0s"]);
    assert_eq!((told.len(), &*told[0][1]), (1, "ok"), "{told:?}");
    assert_eq!(google.uploads(), 0);
    assert_eq!(service.doctor(&[]), [NOTHING]);
    assert_eq!(service.objects(), "path");
}

#[test]
fn doctor_names_the_blocks_that_a_kill_left_in_azurite() {
    let service = Service::azure();
    assert_eq!(service.doctor(&[]), [NOTHING]);
    kill(endless_put(&service, || named(&service)));
    // As many blocks as had arrived: of the three that had been read, or fewer.
    for arguments in [&[][..], &["--clean", "0s"]] {
        let told = service.doctor(arguments);
        let [[name, outcome, detail, hint]] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!((&**name, &**outcome), ("external://cloud", "warning"));
        let sizes = ["8.0", "16.0", "24.0"];
        let left =
            sizes.map(|size| format!("an upload was left unfinished ({size} MiB): large & 100%"));
        assert!(left.contains(detail), "{detail}");
        assert_eq!(
            hint,
            "nothing to do: the service drops them a week after their last part"
        );
    }
    assert_eq!(service.objects(), "path");
}

#[test]
fn an_interrupted_put_leaves_nothing_in_moto() {
    let service = Service::s3();
    interrupt(endless_put(&service, || named(&service)));
    assert_eq!(service.doctor(&[]), [NOTHING]);
    assert_eq!(service.objects(), "path");
}

#[test]
fn an_interrupted_put_leaves_nothing_in_a_stand_in_for_cloud_storage() {
    let service = Service::gs();
    let Server::Gs(google) = &service.server else {
        unreachable!("it was made so")
    };
    interrupt(endless_put(&service, || google.uploads() == 1));
    assert_eq!(google.uploads(), 0);
    assert_eq!(service.doctor(&[]), [NOTHING]);
    assert_eq!(service.objects(), "path");
}

/// There is no call that removes blocks: what is left of them no list shows, and doctor names it.
#[test]
fn an_interrupted_put_leaves_no_object_in_azurite() {
    let service = Service::azure();
    interrupt(endless_put(&service, || named(&service)));
    assert_eq!(service.objects(), "path");
    assert!(named(&service));
}

#[test]
fn an_interrupted_put_leaves_nothing_on_a_server_of_files() {
    let service = Service::http();
    let Server::Http(nginx) = &service.server else {
        unreachable!("it was made so")
    };
    // What comes lies in files of the server's own until it is whole.
    let began = || std::fs::metadata(nginx.files().join("daily")).is_ok();
    let began_at = Instant::now();
    let child = endless_put(&service, || {
        began() || began_at.elapsed() > Duration::from_secs(3)
    });
    interrupt(child);
    assert_eq!(service.objects(), "path");
    let none = "no connection leads to storage that keeps any";
    assert_eq!(service.doctor(&[]), [["uploads", "ok", none, ""]]);
}

#[test]
fn storage_that_is_not_reached_is_a_warning_with_its_reason() {
    let service = Service::gs();
    let Service { home, server } = service;
    // Nobody listens there any more.
    drop(server);
    let service = Service {
        home,
        server: Service::http().server,
    };
    let began = Instant::now();
    let told = service.doctor(&[]);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(
        told,
        [[
            "external://cloud",
            "warning",
            "was not asked for unfinished uploads: oauth2.googleapis.com:443 refused the connection",
            "check the port, and that the server is running",
        ]]
    );
    let output = service.home.run(&["put", "authority.pem", NAME]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        errors(&output),
        "ERROR: oauth2.googleapis.com:443 refused the connection\nSQLSTATE: 08001\n\
         HINT: check the port, and that the server is running\n"
    );
}
