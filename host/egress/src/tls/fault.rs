//! Why a TLS handshake failed.

use std::io;
use std::time::Duration;

use portolan_contract::FailureClass;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::error::seconds;

/// Why a TLS handshake failed, told apart by the types of the TLS library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// Nobody who is trusted has issued the server's certificate.
    #[error("the server's certificate comes from an authority that is not trusted")]
    UnknownAuthority,
    /// The certificate is for other names.
    #[error("the server's certificate is for another name")]
    NameMismatch,
    /// It is no longer valid.
    #[error("the server's certificate has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// It was revoked.
    #[error("the server's certificate was revoked")]
    Revoked,
    /// It cannot be read, or something in it is wrong.
    #[error("the server's certificate is not one that can be checked")]
    BadCertificate,
    /// The server asks for a client certificate, and the connection has none.
    #[error("the server asks for a client certificate")]
    ClientCertificateRequired,
    /// The server does not take the client certificate.
    #[error("the server refused the client certificate")]
    ClientCertificateRefused,
    /// No version or cipher is spoken by both.
    #[error("the server speaks no version of TLS that this host speaks")]
    NothingInCommon,
    /// What answers does not speak TLS.
    #[error("what answers there does not speak TLS")]
    NotTls,
    /// The server closed the connection during the handshake.
    #[error("the server closed the connection during the TLS handshake")]
    Closed,
    /// The handshake took too long.
    #[error("the TLS handshake did not end within {}", seconds(*.0))]
    Slow(Duration),
    /// The name of the endpoint cannot stand in a certificate.
    #[error("the host is neither a DNS name nor an address that a certificate could be for")]
    NoServerName,
    /// A protocol that was to be offered by ALPN has a name that cannot be written.
    #[error("a protocol that was to be offered has no name of 1 to 255 bytes")]
    NoProtocolName,
    /// Something else went wrong in the protocol.
    #[error("the TLS handshake failed")]
    Protocol,
}

impl TlsFault {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(self) -> FailureClass {
        match self {
            Self::UnknownAuthority
            | Self::NameMismatch
            | Self::Expired
            | Self::NotYetValid
            | Self::Revoked
            | Self::BadCertificate => FailureClass::Unreachable,
            Self::ClientCertificateRequired | Self::ClientCertificateRefused => {
                FailureClass::RefusedCredentials
            }
            Self::NoServerName => FailureClass::InvalidUri,
            Self::Slow(_) => FailureClass::Timeout,
            Self::NothingInCommon
            | Self::NotTls
            | Self::Closed
            | Self::NoProtocolName
            | Self::Protocol => FailureClass::Protocol,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "give the connection the certificate of the server's own authority, or add it to \
                 [tls] extra_ca; if the authority should be known, look for a proxy that breaks TLS"
            }
            Self::NameMismatch => {
                "write the host as the server's certificate names it, or have the certificate \
                 issued for this name"
            }
            Self::Expired => "have the server's certificate renewed, and check this host's clock",
            Self::NotYetValid => "check this host's clock, and that of the certificate's issuer",
            Self::Revoked | Self::BadCertificate => "have the server's certificate issued anew",
            Self::ClientCertificateRequired => {
                "give the connection a client certificate and its key"
            }
            Self::ClientCertificateRefused => {
                "give the connection a client certificate that the server's authority has issued \
                 and that is still valid"
            }
            Self::NothingInCommon => "have the server speak TLS 1.2 or 1.3",
            Self::NotTls => "check the port, or use the scheme without TLS",
            Self::Closed | Self::Protocol => {
                "check the port, and look at the server's log for the reason"
            }
            Self::Slow(_) => "see whether the server is slow or overloaded, and try again",
            Self::NoServerName => "write a DNS name or an address",
            Self::NoProtocolName => "tell the author of the provider",
        }
    }

    /// The fault in an error of reading or writing, if TLS is its cause.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?;
        let error = inner.downcast_ref::<rustls::Error>()?;
        Some(Self::of(error))
    }

    /// The fault in an error of the TLS library.
    #[must_use]
    pub fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::NoCertificatesPresented => Self::BadCertificate,
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::PeerIncompatible(_) => Self::NothingInCommon,
            rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge,
            ) => Self::NotTls,
            _ => Self::Protocol,
        }
    }

    /// The same of a handshake in which the server asked for a certificate that there is none of:
    /// then that is what it did not like.
    pub(super) fn given(self, asked_in_vain: bool) -> Self {
        match self {
            Self::NothingInCommon | Self::ClientCertificateRefused if asked_in_vain => {
                Self::ClientCertificateRequired
            }
            other => other,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            // Signed by another key of the same name: an authority that was made anew, mostly.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::NameMismatch
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::Revoked => Self::Revoked,
            _ => Self::BadCertificate,
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired => Self::ClientCertificateRequired,
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied => Self::ClientCertificateRefused,
            AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity
            | AlertDescription::HandshakeFailure => Self::NothingInCommon,
            _ => Self::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_after_a_certificate_was_asked_for_in_vain_is_about_the_certificate() {
        // What servers of TLS 1.2 answer to a client without one.
        for alert in [
            AlertDescription::HandshakeFailure,
            AlertDescription::BadCertificate,
            AlertDescription::CertificateUnknown,
        ] {
            let fault = TlsFault::of(&rustls::Error::AlertReceived(alert));
            assert_eq!(fault.given(true), TlsFault::ClientCertificateRequired);
            assert_eq!(fault.given(false), fault);
            assert_ne!(fault, TlsFault::ClientCertificateRequired);
        }
        assert_eq!(TlsFault::Expired.given(true), TlsFault::Expired);
    }
}
