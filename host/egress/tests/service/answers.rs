//! What is given of an answer, and what is not.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::FutureExt;
use portolan_egress::Piece;
use portolan_egress::service::{AnswerPart, ServiceError};
use portolan_secret::SecretBytes;
use portolan_servers::{HttpServer, answer};

use crate::setting::{Asked, Setting, shown};

const RULE: &str = "host = \"{authority}\"\nmethod = \"POST\"\npath = \"/\"\n";
const KEEPS: &str = "host = \"{authority}\"\nmethod = \"POST\"\npath = \"/\"\n\
                     opaque_answer = { \"/Plaintext\" = \"base64\" }\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it fits");
    encoder.finish().expect("packed")
}

#[tokio::test]
async fn every_status_is_an_answer_and_no_redirect_is_followed() {
    let server = HttpServer::plain(|request| {
        assert_eq!(request.uri().path(), "/", "nobody followed");
        async {
            answer(
                302,
                &[("location", "/elsewhere"), ("set-cookie", "a=b")],
                "moved",
            )
        }
        .boxed()
    });
    let setting = Setting::in_clear(RULE, server.address());
    let client = setting
        .client_with(server.address(), |_| ())
        .expect("a client");
    let answer = setting
        .send(&client, Asked::default())
        .await
        .expect("an answer");
    assert_eq!((answer.status, shown(&answer)), (302, "moved".to_owned()));
    let header = |name| answer.headers.iter().find(|(other, _)| other == name);
    assert_eq!(
        header("location").map(|(_, value)| value.as_str()),
        Some("/elsewhere")
    );
    assert_eq!(header("set-cookie"), None);
}

#[tokio::test]
async fn what_the_host_alone_may_read_and_what_is_not_printable_is_left_out() {
    let server = HttpServer::plain(|_| {
        let headers = [
            ("www-authenticate", "Basic realm=\"x\""),
            ("authentication-info", "x"),
            ("x-shown", "yes"),
            ("x-latin", "\u{e9}"),
        ];
        async move { answer(401, &headers, "") }.boxed()
    });
    let setting = Setting::in_clear(RULE, server.address());
    let client = setting
        .client_with(server.address(), |_| ())
        .expect("a client");
    let answer = setting
        .send(&client, Asked::default())
        .await
        .expect("an answer");
    let names: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["x-shown", "content-length", "date"]);
}

/// A provider has no clock to compare the service's with.
#[tokio::test]
async fn the_host_says_how_far_the_clocks_are_apart_and_nobody_else_may() {
    for (date, expected) in [
        (None, None),
        (Some("Thu, 01 Jan 1970 00:00:00 GMT"), Some(1)),
        (Some("Thu, 01 Jan 2099 00:00:00 GMT"), Some(-1)),
        (Some("yesterday"), None),
    ] {
        let server = HttpServer::plain(move |_| {
            let mut headers = vec![("portolan-clock-ahead", "86400")];
            headers.extend(date.map(|date| ("date", date)));
            async move { answer(400, &headers, "") }.boxed()
        });
        let setting = Setting::in_clear(RULE, server.address());
        let client = setting
            .client_with(server.address(), |_| ())
            .expect("a client");
        let answer = setting
            .send(&client, Asked::default())
            .await
            .expect("an answer");
        let told = answer.headers.iter();
        let told: Vec<_> = told
            .filter(|(name, _)| name == "portolan-clock-ahead")
            .map(|(_, seconds)| seconds.parse::<i64>().expect("a number"))
            .collect();
        let years = |seconds: i64| seconds.signum() * i64::from(seconds.abs() > 40 * 365 * 86_400);
        let told = told.into_iter().map(years).collect::<Vec<_>>();
        assert_eq!(told, Vec::from_iter(expected), "{date:?}");
    }
}

#[tokio::test]
async fn a_body_is_sent_whole_and_a_packed_answer_is_unpacked() {
    let server = HttpServer::plain(|request| {
        let asked = request.headers().get("accept-encoding");
        assert_eq!(asked.expect("it says").as_bytes(), b"gzip");
        let body = gzip(request.body());
        async { answer(200, &[("content-encoding", "gzip")], body) }.boxed()
    });
    let setting = Setting::in_clear(RULE, server.address());
    let client = setting
        .client_with(server.address(), |_| ())
        .expect("a client");
    let secret = SecretBytes::new(*b" and secret");
    let asked = Asked {
        body: &[Piece::Shown(b"shown"), Piece::Secret(&secret)],
        ..Asked::default()
    };
    let answer = setting.send(&client, asked).await.expect("an answer");
    assert_eq!(shown(&answer), "shown and secret");
}

#[tokio::test]
async fn opaque_members_are_taken_out_of_an_answer() {
    let server = HttpServer::plain(|request| {
        // What is packed would leave copies behind.
        let asked = request.headers().get("accept-encoding");
        assert_eq!(asked.expect("it says").as_bytes(), b"identity");
        let body = r#"{"KeyId":"k","Plaintext":"aHVudGVyMg==","more":"c2Vjb25k"}"#;
        async move { answer(200, &[], body) }.boxed()
    });
    let setting = Setting::in_clear(KEEPS, server.address());
    let client = setting
        .client_with(server.address(), |_| ())
        .expect("a client");
    let asked = Asked {
        keep_opaque: &["/more", "/Plaintext"],
        ..Asked::default()
    };
    let answer = setting.send(&client, asked).await.expect("an answer");
    let text = |text: &str| AnswerPart::Shown(text.as_bytes().to_vec());
    let secret = |text: &str| AnswerPart::Secret(SecretBytes::new(text.as_bytes()));
    assert_eq!(
        answer.body,
        [
            text(r#"{"KeyId":"k","Plaintext":""#),
            secret("hunter2"),
            text(r#"","more":""#),
            secret("second"),
            text("\"}"),
        ]
    );
    assert!(!format!("{answer:?}").contains("hunter2"));
    assert!(!format!("{answer:?}").contains("KeyId"));
}

/// Each body with the status that it comes with, and what becomes of it.
#[tokio::test]
async fn an_answer_whose_opaque_member_is_not_as_it_should_be_is_not_handed_out() {
    let host = || "service.example.com".to_owned();
    let cases = [
        (200, "{}", Ok("{}")),
        (
            200,
            "<html>hunter2</html>",
            Err(ServiceError::NotJson { host: host() }),
        ),
        (403, "<html>hunter2</html>", Ok("")),
        (500, "", Ok("")),
        (400, "{\"message\":\"no\"}", Ok("{\"message\":\"no\"}")),
        (
            200,
            "{\"Plaintext\":\"aHVudGVyMg==\",",
            Err(ServiceError::NotJson { host: host() }),
        ),
        (
            200,
            "{\"Plaintext\":null}",
            Err(ServiceError::NotText { host: host() }),
        ),
        (
            400,
            "{\"Plaintext\":[\"hunter2\"]}",
            Err(ServiceError::NotText { host: host() }),
        ),
        (
            200,
            "{\"Plaintext\":\"hunter2!\"}",
            Err(ServiceError::Undecodable { host: host() }),
        ),
        (
            200,
            "{\"Plaintext\":\"aHVudGVyMg==\",\"Plaintext\":\"aHVudGVyMg==\"}",
            Err(ServiceError::Twice { host: host() }),
        ),
        (
            200,
            "{\"Plaintext\":\"aHVudGVyMg==\",\"\\u0050laintext\":\"aHVudGVyMg==\"}",
            Err(ServiceError::Twice { host: host() }),
        ),
    ];
    for (status, body, expected) in cases {
        let server = HttpServer::plain(move |_| async move { answer(status, &[], body) }.boxed());
        let setting = Setting::in_clear(KEEPS, server.address());
        let client = setting
            .client_with(server.address(), |_| ())
            .expect("a client");
        let answered = setting.send(&client, Asked::default()).await;
        let told = format!("{answered:?}");
        let answered = answered.map(|answer| shown(&answer));
        assert_eq!(answered, expected.map(str::to_owned), "{status} {body}");
        assert!(
            !told.contains("hunter2") && !told.contains("aHVudGVyMg"),
            "{told}"
        );
    }
}
