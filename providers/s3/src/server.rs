//! Where a bucket is served.

use portolan_aws::{AwsServer, regional};
use portolan_sdk::{Failure, is_address, is_dns_label, joined};

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 253;

/// The server of a bucket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encrypted: bool,
    /// Whether the bucket stands in the path of a request; otherwise it is a label of the host.
    pub(crate) path_style: bool,
}

impl Server {
    /// The server of Amazon for a bucket in a region, which is one label.
    pub(crate) fn of_amazon(bucket: &str, region: Option<&str>, path_style: bool) -> Self {
        let host = regional("s3", region);
        Self::with_bucket(bucket, host, 443, true, path_style)
    }

    /// The server of `AWS_ENDPOINT`.
    pub(crate) fn of_endpoint(
        bucket: &str,
        endpoint: &str,
        path_style: bool,
    ) -> Result<Self, Failure> {
        let AwsServer {
            host,
            port,
            encrypted,
        } = AwsServer::of_endpoint(endpoint)?;
        Ok(Self::with_bucket(bucket, host, port, encrypted, path_style))
    }

    /// A bucket that cannot be a label of the host stands in the path by itself.
    fn with_bucket(
        bucket: &str,
        host: String,
        port: u16,
        encrypted: bool,
        path_style: bool,
    ) -> Self {
        let path_style = path_style
            || !is_dns_label(bucket)
            || is_address(&host)
            || bucket.len() + 1 + host.len() > MAX_NAME_BYTES;
        Self {
            host: match path_style {
                true => host,
                false => joined(&[bucket, ".", &host]),
            },
            port,
            encrypted,
            path_style,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(server: Server) -> (String, u16, bool, bool) {
        (
            server.host,
            server.port,
            server.encrypted,
            server.path_style,
        )
    }

    fn of_endpoint(bucket: &str, endpoint: &str) -> (String, u16, bool, bool) {
        place(Server::of_endpoint(bucket, endpoint, false).expect(endpoint))
    }

    #[test]
    fn amazon_serves_a_bucket_below_its_region() {
        let host = |bucket, region, path| Server::of_amazon(bucket, region, path).host;
        assert_eq!(host("b", None, false), "b.s3.amazonaws.com");
        assert_eq!(host("b", None, true), "s3.amazonaws.com");
        assert_eq!(
            host("b", Some("eu-central-1"), false),
            "b.s3.eu-central-1.amazonaws.com"
        );
        assert_eq!(
            host("b", Some("cn-north-1"), false),
            "b.s3.cn-north-1.amazonaws.com.cn"
        );
        assert_eq!(
            host("b", Some("us-gov-west-1"), true),
            "s3.us-gov-west-1.amazonaws.com"
        );
    }

    #[test]
    fn a_bucket_that_is_no_label_stands_in_the_path() {
        for bucket in ["my.bucket", "MyBucket", "my_bucket", &"b".repeat(64)] {
            let server = Server::of_amazon(bucket, Some("eu-west-1"), false);
            assert!(server.path_style, "{bucket}");
            assert_eq!(server.host, "s3.eu-west-1.amazonaws.com");
        }
        let long = ["a"; 120].join(".");
        let server = Server::of_endpoint("a-bucket-of-17-by", &long, false).expect("a server");
        assert!(server.path_style);
    }

    #[test]
    fn an_endpoint_is_a_host_with_its_scheme_and_port() {
        let virtual_host = |port, encrypted| ("b.minio.example".to_owned(), port, encrypted, false);
        assert_eq!(of_endpoint("b", "minio.example"), virtual_host(443, true));
        assert_eq!(
            of_endpoint("b", "minio.example:9000"),
            virtual_host(9000, true)
        );
        assert_eq!(
            of_endpoint("b", "HTTPS://Minio.Example/"),
            virtual_host(443, true)
        );
        assert_eq!(
            of_endpoint("b", "http://minio.example"),
            virtual_host(80, false)
        );
        assert_eq!(
            of_endpoint("b", "http://127.0.0.1:9000"),
            ("127.0.0.1".to_owned(), 9000, false, true)
        );
        assert_eq!(
            of_endpoint("b", "https://[::1]:9000"),
            ("::1".to_owned(), 9000, true, true)
        );
        // Other spellings of an address are the address, for this parser as for the host's.
        assert_eq!(of_endpoint("b", "0x7f.1").0, "127.0.0.1");
        assert_eq!(of_endpoint("b", "2130706433").0, "127.0.0.1");
        assert_eq!(
            of_endpoint("b", "xn--bcher-kva.example").0,
            "b.xn--bcher-kva.example"
        );
    }

    #[test]
    fn more_than_a_host_and_a_port_is_refused() {
        for endpoint in [
            "https://user:pw@minio.example",
            "https://user@minio.example",
            "user@minio.example",
            "https://minio.example/path",
            "minio.example//",
            "https:///minio.example",
            "https://minio.example?a=b",
            "https://minio.example?",
            "https://minio.example#a",
            "https://minio.example\\@evil.example",
            "https://mi\tnio.example",
            "https://minio example",
            "https://minio.example%2Fx",
            "https://a://b",
        ] {
            let failure = Server::of_endpoint("b", endpoint, false).expect_err(endpoint);
            assert_eq!(
                failure.message, "AWS_ENDPOINT holds more than a host and a port",
                "{endpoint}"
            );
            assert_eq!(failure.option_name.as_deref(), Some("AWS_ENDPOINT"));
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let message = |endpoint: &str| {
            Server::of_endpoint("b", endpoint, false)
                .expect_err(endpoint)
                .message
        };
        assert_eq!(
            message("ftp://minio.example"),
            "AWS_ENDPOINT is no URL of HTTP"
        );
        assert_eq!(message("https://"), "AWS_ENDPOINT names no host");
        assert_eq!(message("https:///"), "AWS_ENDPOINT names no host");
        assert_eq!(
            message("https://minio.example:0"),
            "AWS_ENDPOINT has a port that no server can have"
        );
        for endpoint in [
            "a..b",
            "a$b",
            "-a.example",
            "a:b",
            "a:65536",
            "1.2.3.4.5",
            "[::1",
            "a,b",
        ] {
            assert_eq!(
                message(endpoint),
                "AWS_ENDPOINT names no host that DNS can have",
                "{endpoint}"
            );
        }
        let failure = Server::of_endpoint("b", "https://bücher.example:9000", false);
        let failure = failure.expect_err("not ASCII");
        assert_eq!(
            failure.message,
            "AWS_ENDPOINT names a host that is not ASCII"
        );
        assert_eq!(
            failure.hint.as_deref(),
            Some("Write the host as xn--bcher-kva.example.")
        );
    }
}
