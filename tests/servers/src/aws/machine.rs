//! A stand-in for the metadata service of a machine in AWS.

use crate::http_server::{HttpServer, answer};

/// Answers as the metadata service of a machine is documented to, in its second version, with a
/// temporary key: id, secret and token.
#[must_use]
pub fn aws_machine([id, secret, token]: [&'static str; 3]) -> HttpServer {
    HttpServer::plain(move |request| {
        let path = request.uri().path();
        let session = request.headers().get("x-aws-ec2-metadata-token");
        let has_session = session.is_some_and(|session| session == "session");
        let answer = match (request.method().as_str(), path) {
            ("PUT", "/latest/api/token") => answer(200, &[], "session"),
            _ if !has_session => answer(401, &[], ""),
            ("GET", "/latest/meta-data/iam/security-credentials/") => answer(200, &[], "machine"),
            ("GET", "/latest/meta-data/iam/security-credentials/machine") => answer(
                200,
                &[],
                format!(
                    r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"{secret}",
                         "Token":"{token}","Expiration":"2099-01-01T00:00:00Z"}}"#
                ),
            ),
            _ => answer(404, &[], ""),
        };
        Box::pin(async move { answer })
    })
}
