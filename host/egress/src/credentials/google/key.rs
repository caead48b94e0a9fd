//! The JSON of Google credentials.

use std::sync::Arc;

use portolan_secret::{SecretBytes, SecretText};
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::{Signer, SigningKey};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The token services that a key may name. The first is asked, whichever it names.
const TOKEN_SERVICES: [&str; 2] = [
    "https://oauth2.googleapis.com/token",
    "https://accounts.google.com/o/oauth2/token",
];

/// The only universe.
const UNIVERSE: &str = "googleapis.com";

/// Why a JSON is not taken for Google credentials. Fields are named, their values are not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GoogleKeyFault {
    /// It is no JSON, or a field has the wrong type.
    #[error("the Google credentials are no JSON that a key could be")]
    Unreadable,
    /// It is another kind of credentials.
    #[error(
        "the field `type` of the Google credentials is neither `service_account` nor \
         `authorized_user`"
    )]
    Type,
    /// It would send data or tokens elsewhere, or get them from elsewhere.
    #[error("the field `{0}` may not stand in the Google credentials of a connection")]
    Refused(&'static str),
    /// A field is not there.
    #[error("the Google credentials have no field `{0}`")]
    Missing(&'static str),
    /// A field has a value that is not taken.
    #[error("the field `{0}` of the Google credentials has a value that is not taken")]
    Value(&'static str),
}

impl GoogleKeyFault {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable | Self::Missing(_) => "give the JSON key as Google has issued it",
            Self::Type => {
                "give the JSON key of a service account, or that of an authorized user, and let \
                 other identities act through ASSUME_ROLE"
            }
            Self::Refused(_) => "take the field out, or give the JSON key as Google has issued it",
            Self::Value("token_uri") => {
                "write https://oauth2.googleapis.com/token there, or take the field out"
            }
            Self::Value("universe_domain") => "write googleapis.com there, or take the field out",
            Self::Value(_) => "give the JSON key as Google has issued it, its line breaks as \\n",
        }
    }
}

/// Credentials of one of the two types that are taken.
pub(super) enum GoogleKey {
    Service(ServiceKey),
    User(UserKey),
}

pub(super) struct ServiceKey {
    pub(super) email: String,
    pub(super) key_id: Option<String>,
    key: Arc<dyn SigningKey>,
}

pub(super) struct UserKey {
    pub(super) client_id: String,
    pub(super) client_secret: SecretText,
    pub(super) refresh_token: SecretText,
}

/// The fields that are looked at; `auth_uri`, the `*_cert_url` and all others are not.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: Option<String>,
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
    token_uri: Option<String>,
    universe_domain: Option<String>,
    gcs_base_url: Option<IgnoredAny>,
    disable_oauth: Option<IgnoredAny>,
    credential_source: Option<IgnoredAny>,
}

impl GoogleKey {
    pub(super) fn parse(json: &SecretBytes) -> Result<Self, GoogleKeyFault> {
        let mut written: Written =
            serde_json::from_slice(json.expose()).map_err(|_| GoogleKeyFault::Unreadable)?;
        // First, so that no way out leaves one unwiped.
        let private_key = written.private_key.take().map(SecretText::new);
        let client_secret = written.client_secret.take().map(SecretText::new);
        let refresh_token = written.refresh_token.take().map(SecretText::new);
        for (field, stands) in [
            ("gcs_base_url", written.gcs_base_url.is_some()),
            ("disable_oauth", written.disable_oauth.is_some()),
            ("credential_source", written.credential_source.is_some()),
        ] {
            if stands {
                return Err(GoogleKeyFault::Refused(field));
            }
        }
        if let Some(uri) = &written.token_uri
            && !TOKEN_SERVICES.contains(&uri.as_str())
        {
            return Err(GoogleKeyFault::Value("token_uri"));
        }
        if written.universe_domain.as_deref().unwrap_or(UNIVERSE) != UNIVERSE {
            return Err(GoogleKeyFault::Value("universe_domain"));
        }
        let missing = GoogleKeyFault::Missing;
        match written.kind.as_deref() {
            Some("service_account") => Ok(Self::Service(ServiceKey {
                email: written.client_email.ok_or(missing("client_email"))?,
                key_id: written.private_key_id,
                key: signing_key(&private_key.ok_or(missing("private_key"))?)?,
            })),
            Some("authorized_user") => Ok(Self::User(UserKey {
                client_id: written.client_id.ok_or(missing("client_id"))?,
                client_secret: client_secret.ok_or(missing("client_secret"))?,
                refresh_token: refresh_token.ok_or(missing("refresh_token"))?,
            })),
            Some(_) => Err(GoogleKeyFault::Type),
            None => Err(missing("type")),
        }
    }
}

impl ServiceKey {
    /// Signs as RS256 does.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, GoogleKeyFault> {
        signer(&*self.key)?
            .sign(message)
            .map_err(|_| GoogleKeyFault::Value("private_key"))
    }
}

fn signing_key(pem: &SecretText) -> Result<Arc<dyn SigningKey>, GoogleKeyFault> {
    let wrong = GoogleKeyFault::Value("private_key");
    let Ok(der) = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()) else {
        return Err(wrong);
    };
    let provider = rustls::crypto::ring::default_provider();
    let Ok(key) = provider.key_provider.load_private_key(der) else {
        return Err(wrong);
    };
    // Now, so that a key of another algorithm is found before anybody is asked.
    signer(&*key)?;
    Ok(key)
}

fn signer(key: &dyn SigningKey) -> Result<Box<dyn Signer>, GoogleKeyFault> {
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
        .ok_or(GoogleKeyFault::Value("private_key"))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    fn fault(json: &str) -> GoogleKeyFault {
        match GoogleKey::parse(&SecretBytes::new(json)) {
            Ok(_) => panic!("taken: {json}"),
            Err(fault) => fault,
        }
    }

    const USER: &str =
        r#""type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r""#;

    #[test]
    fn a_users_key_is_taken_with_what_gcloud_writes_beside_it() {
        for more in [
            "",
            r#","account":"a","quota_project_id":"p","universe_domain":"googleapis.com""#,
            r#","token_uri":"https://oauth2.googleapis.com/token","auth_uri":"https://evil/","x_cert_url":1"#,
            r#","token_uri":"https://accounts.google.com/o/oauth2/token""#,
        ] {
            let json = format!("{{{USER}{more}}}");
            let key =
                GoogleKey::parse(&SecretBytes::new(json)).unwrap_or_else(|fault| panic!("{fault}"));
            assert!(matches!(key, GoogleKey::User(user) if user.client_id == "c"));
        }
    }

    /// The key, the text and the signature of RFC 7515, appendix A.2.
    #[test]
    fn a_service_account_signs_as_the_standard_says() {
        let json = serde_json::json!({
            "type": "service_account",
            "client_email": "a",
            "private_key": include_str!("rfc7515-a2.pem"),
        });
        let key = GoogleKey::parse(&SecretBytes::new(json.to_string()));
        let Ok(GoogleKey::Service(key)) = key else {
            panic!("it is the key of a service account");
        };
        let signed = key.sign(
            b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
              cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        );
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(signed.expect("signed")),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W\
             2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS\
             jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv\
             Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
    }

    #[test]
    fn what_is_not_taken_is_named_by_its_field() {
        use GoogleKeyFault::{Missing, Refused, Type, Unreadable, Value};
        for (more, expected) in [
            (r#","gcs_base_url":"http://evil""#, Refused("gcs_base_url")),
            (r#","disable_oauth":true"#, Refused("disable_oauth")),
            (
                r#","credential_source":{"file":"/etc/passwd"}"#,
                Refused("credential_source"),
            ),
            (
                r#","token_uri":"https://oauth2.googleapis.com.evil/token""#,
                Value("token_uri"),
            ),
            (
                r#","token_uri":"http://oauth2.googleapis.com/token""#,
                Value("token_uri"),
            ),
            (r#","universe_domain":"evil.com""#, Value("universe_domain")),
            (r#","client_id":"twice""#, Unreadable),
        ] {
            assert_eq!(fault(&format!("{{{USER}{more}}}")), expected, "{more}");
        }
        for (json, expected) in [
            ("", Unreadable),
            ("[]", Unreadable),
            (r#"{"type":1}"#, Unreadable),
            ("{}", Missing("type")),
            (r#"{"type":"external_account"}"#, Type),
            (r#"{"type":"impersonated_service_account"}"#, Type),
            (r#"{"type":"service_account"}"#, Missing("client_email")),
            (
                r#"{"type":"service_account","client_email":"a"}"#,
                Missing("private_key"),
            ),
            (
                r#"{"type":"service_account","client_email":"a","private_key":"hunter2"}"#,
                Value("private_key"),
            ),
            (r#"{"type":"authorized_user"}"#, Missing("client_id")),
        ] {
            let fault = fault(json);
            assert_eq!(fault, expected, "{json}");
            assert!(!format!("{fault} {fault:?} {}", fault.hint()).contains("hunter2"));
        }
    }
}
