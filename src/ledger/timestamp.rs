//! Timestamps (RFC 3161): an authority says that bytes existed at a moment.
//!
//! A token is a CMS signature over the SHA-256 of the bytes and the time. It is judged without network, at the moment
//! that it states: imprint, nonce, signed attributes, signing certificate (RFC 5816), signature, chain.
//!
//! # Why
//! *Our own few steps over the forms of `cms`*: the crates that judge whole tokens take the certificate from the token,
//! or know one algorithm. Signatures and chains are those of `rustls-webpki`.
//!
//! *Kept byte for byte* as the authority sent it, so that `openssl ts -verify` takes the same file.

use crate::ledger::{
    authority::{Certificates, Distrust},
    timestamp_forms::{
        CONTENT_TYPE, CertificateId, CertificateIdV2, Imprint, Info, MESSAGE_DIGEST, Request, Response, SHA_1, SHA_256,
        SHA_384, SHA_512, SIGNED_DATA, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2, Signing, TST_INFO,
    },
};
use crate::record::{digest::Digest, entry::Instant};
use cms::{
    cert::CertificateChoices,
    signed_data::{SignedAttributes, SignedData, SignerIdentifier, SignerInfo},
};
use der::{
    Any, Decode, Encode,
    asn1::{Int, ObjectIdentifier, OctetString},
};
use pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha2::Digest as _;
use webpki::{EndEntityCert, aws_lc_rs as algorithms};
use x509_cert::{Certificate, ext::pkix::SubjectKeyIdentifier, spki::AlgorithmIdentifierOwned};

/// The longest answer of an authority, in bytes: a token with a chain of certificates fits several times.
pub const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// Why a token does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenFault {
    #[error("it is no timestamp in form: {0}")]
    Malformed(&'static str),
    #[error("the authority refused: status {0}{1}")]
    Refused(u8, String),
    #[error("it is a timestamp of other bytes")]
    OfOtherBytes,
    #[error("it does not answer this request: its nonce is another one")]
    OtherNonce,
    #[error("its signature does not hold")]
    BadSignature,
    #[error(transparent)]
    Distrusted(#[from] Distrust),
}

/// What a token says that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// When the authority saw the bytes.
    pub time: Instant,
    /// When the certificate ends that signed; after that only a later token over this one makes it hold.
    pub until: Instant,
}

/// A token that was read and not judged.
#[derive(Clone, Debug)]
pub struct Token {
    info: Info,
    info_bytes: Vec<u8>,
    signer: SignerInfo,
    /// The certificates that it brought along.
    pub brought: Vec<CertificateDer<'static>>,
}

/// The bytes of a request for a timestamp of a message, with a nonce that nobody can guess.
pub fn request(message: Digest, nonce: &[u8; 16]) -> Option<Vec<u8>> {
    let request =
        Request { version: 1, imprint: Imprint::of(message)?, nonce: Some(number(nonce)?), certificates: true };
    request.to_der().ok()
}

/// A nonce as a positive number of 16 bytes at most.
fn number(nonce: &[u8; 16]) -> Option<Int> {
    let mut bytes = *nonce;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Int::new(&bytes).ok()
}

impl Token {
    /// Reads an answer of an authority (TimeStampResp).
    pub fn read(response: &[u8]) -> Result<Token, TokenFault> {
        let malformed = |_| TokenFault::Malformed("it is no answer of a timestamping authority");
        if response.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::Malformed("it is longer than 64 KiB"));
        }
        let Response { status, token } = Response::from_der(response).map_err(malformed)?;
        // 0 granted, 1 granted with modifications.
        let token = token.filter(|_| status.status < 2).ok_or_else(|| {
            let told =
                status.text.unwrap_or_default().join(" ").chars().filter(|c| !c.is_control()).take(200).collect();
            TokenFault::Refused(status.status, if String::is_empty(&told) { told } else { format!(" ({told})") })
        })?;
        if token.content_type != SIGNED_DATA {
            return Err(TokenFault::Malformed("its content is not signed"));
        }
        let signed: SignedData = token.content.decode_as().map_err(malformed)?;
        let content =
            signed.encap_content_info.econtent.filter(|_| signed.encap_content_info.econtent_type == TST_INFO);
        let content = content.ok_or(TokenFault::Malformed("what is signed is no timestamp"))?;
        let info_bytes = content.decode_as::<OctetString>().map_err(malformed)?.as_bytes().to_vec();
        let info = Info::from_der(&info_bytes).map_err(malformed)?;
        if info.extensions.iter().flatten().any(|extension| extension.critical) {
            return Err(TokenFault::Malformed("it has a critical extension that nobody here knows"));
        }
        let mut signers = signed.signer_infos.0.into_vec();
        let signer =
            signers.pop().filter(|_| signers.is_empty()).ok_or(TokenFault::Malformed("it has not one signer"))?;
        let mut brought = Vec::new();
        for choice in signed.certificates.map(|set| set.0.into_vec()).unwrap_or_default() {
            if let CertificateChoices::Certificate(certificate) = choice {
                brought.push(CertificateDer::from(certificate.to_der().map_err(malformed)?));
            }
        }
        Ok(Token { info, info_bytes, signer, brought })
    }

    /// The moment that it states, before anybody has checked who says so.
    pub fn time(&self) -> Instant {
        self.info.time.0
    }

    /// Does it answer the request with this nonce?
    pub fn answers(&self, nonce: &[u8; 16]) -> Result<(), TokenFault> {
        if self.info.nonce.is_some() && self.info.nonce == number(nonce) { Ok(()) } else { Err(TokenFault::OtherNonce) }
    }

    /// Judges it: is it of this message, and does somebody who is trusted say so?
    pub fn verify(&self, message: Digest, trusted: &Certificates) -> Result<Stamp, TokenFault> {
        if self.info.version != 1 || !self.info.imprint.is_of(message) {
            return Err(TokenFault::OfOtherBytes);
        }
        let trusted = trusted.clone().with_brought(&self.brought);
        let leaf =
            trusted.all().find(|one| self.is_by(one)).ok_or(TokenFault::Malformed("its certificate is missing"))?;
        self.check_attributes(leaf)?;
        self.check_signature(leaf)?;
        trusted.vouch(leaf, self.time())?;
        let ends = Certificate::from_der(leaf).map(|read| read.tbs_certificate.validity.not_after.to_unix_duration());
        let ends = ends.map_err(|_| TokenFault::Malformed("its certificate is not in form"))?;
        Ok(Stamp { time: self.time(), until: Instant::from_micros(ends.as_micros().min(i64::MAX as u128) as i64) })
    }

    /// Is this the certificate that the signer names?
    fn is_by(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(read) = Certificate::from_der(certificate) else { return false };
        let own = read.tbs_certificate;
        match &self.signer.sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                own.issuer == named.issuer && own.serial_number == named.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                own.get::<SubjectKeyIdentifier>().is_ok_and(|own| own.is_some_and(|(_, own)| own == *named))
            }
        }
    }

    /// The attributes are of a timestamp, of this one, and by this certificate.
    fn check_attributes(&self, leaf: &CertificateDer<'_>) -> Result<(), TokenFault> {
        let attributes = self.signer.signed_attrs.as_ref().ok_or(TokenFault::BadSignature)?;
        let kind = one(attributes, CONTENT_TYPE).and_then(|kind| kind.decode_as::<ObjectIdentifier>().ok());
        let hashed = one(attributes, MESSAGE_DIGEST).and_then(|hash| hash.decode_as::<OctetString>().ok());
        let expected = hash(self.signer.digest_alg.oid, &self.info_bytes);
        if kind != Some(TST_INFO) || expected.is_none() || hashed.map(|hash| hash.as_bytes().to_vec()) != expected {
            return Err(TokenFault::BadSignature);
        }
        let v2 =
            one(attributes, SIGNING_CERTIFICATE_V2).and_then(|any| any.decode_as::<Signing<CertificateIdV2>>().ok());
        let v1 = one(attributes, SIGNING_CERTIFICATE).and_then(|any| any.decode_as::<Signing<CertificateId>>().ok());
        let v2 = v2
            .and_then(|signing| signing.certificates.into_iter().next())
            .map(|id| (id.algorithm.map_or(SHA_256, |named| named.oid), id.hash));
        let v1 = v1.and_then(|signing| signing.certificates.into_iter().next()).map(|id| (SHA_1, id.hash));
        match v2.or(v1) {
            Some((algorithm, named)) if hash(algorithm, leaf).as_deref() == Some(named.as_bytes()) => Ok(()),
            _ => Err(TokenFault::BadSignature),
        }
    }

    fn check_signature(&self, leaf: &CertificateDer<'_>) -> Result<(), TokenFault> {
        let attributes = self.signer.signed_attrs.as_ref().and_then(|attributes| attributes.to_der().ok());
        let attributes = attributes.ok_or(TokenFault::BadSignature)?;
        let certificate = EndEntityCert::try_from(leaf).map_err(|_| TokenFault::BadSignature)?;
        let signature = self.signer.signature.as_bytes();
        let fits = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            certificate.verify_signature(*algorithm, &attributes, signature).is_ok()
        };
        let known = known(&self.signer.signature_algorithm, self.signer.digest_alg.oid);
        if known.iter().any(fits) { Ok(()) } else { Err(TokenFault::BadSignature) }
    }
}

/// The one value of an attribute.
fn one(attributes: &SignedAttributes, name: ObjectIdentifier) -> Option<&Any> {
    let mut found = attributes.iter().filter(|attribute| attribute.oid == name);
    let (first, second) = (found.next()?, found.next());
    first.values.get(0).filter(|_| second.is_none() && first.values.len() == 1)
}

fn hash(algorithm: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        SHA_1 => sha1::Sha1::digest(bytes).to_vec(),
        SHA_256 => sha2::Sha256::digest(bytes).to_vec(),
        SHA_384 => sha2::Sha384::digest(bytes).to_vec(),
        SHA_512 => sha2::Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

const WITH_SHA_256: Algorithms = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P521_SHA256,
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
];
const WITH_SHA_384: Algorithms = &[
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ECDSA_P521_SHA384,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
];
const WITH_SHA_512: Algorithms = &[
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA512,
    algorithms::ECDSA_P384_SHA512,
    algorithms::ECDSA_P521_SHA512,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    algorithms::ED25519,
];

/// The algorithms that a signer may mean. Which hash it is says the signature's name or, where that is silent, the
/// digest's; which key it is says the certificate.
fn known(signature: &AlgorithmIdentifierOwned, digest: ObjectIdentifier) -> Algorithms {
    let by_digest = match digest {
        SHA_256 => WITH_SHA_256,
        SHA_384 => WITH_SHA_384,
        SHA_512 => WITH_SHA_512,
        _ => &[],
    };
    match signature.oid.to_string().as_str() {
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => WITH_SHA_256,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => WITH_SHA_384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "1.3.101.112" => WITH_SHA_512,
        // rsaEncryption, and RSASSA-PSS.
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => by_digest,
        _ => &[],
    }
}
