//! The token service: keys for those who may take on a role.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;

use super::account::{Account, AwsStandIn};
use super::sigv4::Signer;

/// A role, as far as its trust goes.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) trusts: String,
    pub(super) external_id: Option<String>,
}

impl Account {
    /// Answers `AssumeRole`.
    pub(super) fn give_token(&mut self, request: &Request<Bytes>) -> (u16, String) {
        let form: BTreeMap<_, _> = url::form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let asked = |name: &str| form.get(name).map(String::as_str);
        let principal = match self.signatures.signer("sts", request, request.body()) {
            Ok(signer) => signer.principal.clone(),
            Err(fault) => return refused(403, fault.xml_code(), fault.message()),
        };
        let (Some("AssumeRole"), Some("2011-06-15"), Some(arn), Some(_)) = (
            asked("Action"),
            asked("Version"),
            asked("RoleArn"),
            asked("RoleSessionName"),
        ) else {
            return refused(400, "ValidationError", "");
        };
        let is_trusted = self.roles.get(arn).is_some_and(|role| {
            let id = role.external_id.as_deref();
            role.trusts == principal && (id.is_none() || id == asked("ExternalId"))
        });
        if !is_trusted {
            return refused(403, "AccessDenied", &principal);
        }
        self.given += 1;
        let (id, secret) = (
            format!("ASIAROLE{}", self.given),
            format!("s3cr3t/of+role-{}", self.given),
        );
        let token = format!("t0k3n/of+role-{}==", self.given);
        let signer = Signer {
            secret: secret.clone(),
            token: Some(token.clone()),
            principal: arn.to_owned(),
            has_ended: false,
        };
        self.signatures.add(&id, signer);
        let body = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
             <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
             </AssumeRoleResponse>"
        );
        (200, body)
    }
}

fn refused(status: u16, code: &str, more: &str) -> (u16, String) {
    let chatter = AwsStandIn::CHATTER;
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{chatter} {more}</Message></Error>\
         </ErrorResponse>"
    );
    (status, body)
}
