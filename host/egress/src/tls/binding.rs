//! What authentication is bound to: `tls-server-end-point` of RFC 5929.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_parser::oid_registry::{
    OID_HASH_SHA1, OID_NIST_HASH_SHA256, OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512,
    OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA224WITHRSA,
    OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA224, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
    OID_SIG_ECDSA_WITH_SHA512, Oid,
};
use x509_parser::parse_x509_certificate;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AlgorithmIdentifier;

/// A hash function, as the RFC chooses it.
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The hash of a server's certificate by the hash function of the certificate's own signature, and
/// by SHA-256 where that is MD5 or SHA-1. Empty where the signature has none, or more than one:
/// then the RFC defines no binding.
pub(crate) fn server_end_point(certificate: &[u8]) -> Vec<u8> {
    let Ok((_, parsed)) = parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    match hash_of(&parsed.signature_algorithm) {
        None => Vec::new(),
        Some(Hash::Sha224) => Sha224::digest(certificate).to_vec(),
        Some(Hash::Sha256) => Sha256::digest(certificate).to_vec(),
        Some(Hash::Sha384) => Sha384::digest(certificate).to_vec(),
        Some(Hash::Sha512) => Sha512::digest(certificate).to_vec(),
    }
}

fn hash_of(signature: &AlgorithmIdentifier<'_>) -> Option<Hash> {
    let oid = &signature.algorithm;
    let is = |known: &[Oid<'_>]| known.contains(oid);
    if *oid == OID_PKCS1_RSASSAPSS {
        return hash_of_pss(signature);
    }
    if is(&[
        OID_PKCS1_MD5WITHRSAENC,
        OID_PKCS1_SHA1WITHRSA,
        OID_PKCS1_SHA256WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256,
    ]) {
        return Some(Hash::Sha256);
    }
    if is(&[OID_PKCS1_SHA384WITHRSA, OID_SIG_ECDSA_WITH_SHA384]) {
        return Some(Hash::Sha384);
    }
    if is(&[OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA512]) {
        return Some(Hash::Sha512);
    }
    if is(&[OID_PKCS1_SHA224WITHRSA, OID_SIG_ECDSA_WITH_SHA224]) {
        return Some(Hash::Sha224);
    }
    None
}

/// RSASSA-PSS names its hash functions beside its own name: one for the message and one for the
/// mask.
fn hash_of_pss(signature: &AlgorithmIdentifier<'_>) -> Option<Hash> {
    let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(signature)
    else {
        return None;
    };
    let hash = parameters.hash_algorithm_oid();
    if parameters.mask_gen_algorithm().ok()?.hash != *hash {
        return None;
    }
    if [OID_HASH_SHA1, OID_NIST_HASH_SHA256].contains(hash) {
        Some(Hash::Sha256)
    } else if *hash == OID_NIST_HASH_SHA384 {
        Some(Hash::Sha384)
    } else if *hash == OID_NIST_HASH_SHA512 {
        Some(Hash::Sha512)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn signed_by(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let params = CertificateParams::new(["a.example.com".to_owned()]).expect("a name");
        params.self_signed(&key).expect("signed").der().to_vec()
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let certificate = signed_by(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(
            server_end_point(&certificate),
            Sha256::digest(&certificate).to_vec()
        );
        let certificate = signed_by(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(
            server_end_point(&certificate),
            Sha384::digest(&certificate).to_vec()
        );
    }

    #[test]
    fn a_signature_without_a_hash_function_of_its_own_binds_nothing() {
        assert_eq!(server_end_point(&signed_by(&rcgen::PKCS_ED25519)), [0u8; 0]);
    }

    #[test]
    fn what_is_no_certificate_binds_nothing() {
        assert_eq!(server_end_point(b"no certificate"), [0u8; 0]);
    }
}
