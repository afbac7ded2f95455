//! The certificates of timestamping authorities (RFC 5280): whom a timestamp rests on.
//!
//! # Why
//! *Chains are judged by `rustls-webpki`*, which the TLS of this program uses, at the moment that the timestamp states:
//! a certificate that has ended since was good then. What it does not ask, that the certificate is for timestamps and
//! for nothing else (RFC 3161, section 2.3), is asked here.
//!
//! *Whose root is trusted comes from a file*, never from the token and never from this machine's list of roots, which
//! another program may change.

use crate::record::entry::Instant;
use der::{Decode, pem::LineEnding};
use pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime, pem::PemObject};
use std::time::Duration;
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_cert::Certificate;

/// The longest file of certificates and lists, in bytes.
pub const PEM_BYTES_MAX: usize = 32 << 20;
/// id-kp-timeStamping, as DER spells it.
const TIMESTAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// Certificates and revocation lists of authorities.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// What is trusted: certificates that sign themselves.
    roots: Vec<CertificateDer<'static>>,
    /// What may stand between.
    others: Vec<CertificateDer<'static>>,
    lists: Vec<CertificateRevocationListDer<'static>>,
}

/// Why certificates are refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Distrust {
    #[error("it is no PEM file of certificates and revocation lists")]
    NotCertificates,
    #[error("the certificate was revoked")]
    Revoked,
    #[error("the certificate is not for timestamps alone (RFC 3161, section 2.3)")]
    NotForTimestamps,
    #[error("no way leads from the certificate to a root that is trusted ({0})")]
    NoPath(String),
}

impl Certificates {
    /// Reads a PEM file: certificates, at least one, and revocation lists.
    pub fn parse(pem: &[u8]) -> Result<Certificates, Distrust> {
        let mut read = Certificates::default();
        if pem.len() > PEM_BYTES_MAX {
            return Err(Distrust::NotCertificates);
        }
        for certificate in CertificateDer::pem_slice_iter(pem) {
            read.add(certificate.map_err(|_| Distrust::NotCertificates)?);
        }
        for list in CertificateRevocationListDer::pem_slice_iter(pem) {
            read.lists.push(list.map_err(|_| Distrust::NotCertificates)?);
        }
        if read.all().next().is_none() { Err(Distrust::NotCertificates) } else { Ok(read) }
    }

    /// Is there a root, without which nothing can be trusted?
    pub fn has_root(&self) -> bool {
        !self.roots.is_empty()
    }

    /// The certificates alone: what was revoked is asked when a token is taken, by the lists of then.
    pub fn without_lists(mut self) -> Certificates {
        self.lists.clear();
        self
    }

    fn add(&mut self, certificate: CertificateDer<'static>) {
        let own = Certificate::from_der(&certificate).map(|read| read.tbs_certificate);
        let signs_itself = own.is_ok_and(|own| own.subject == own.issuer);
        let to = if signs_itself { &mut self.roots } else { &mut self.others };
        if !to.contains(&certificate) {
            to.push(certificate);
        }
    }

    /// With revocation lists, PEM or DER, as authorities publish them.
    pub fn with_list(mut self, list: &[u8]) -> Result<Certificates, Distrust> {
        let pem: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(list).collect();
        match pem {
            Ok(lists) if !lists.is_empty() => self.lists.extend(lists),
            _ => self.lists.push(CertificateRevocationListDer::from(list.to_vec())),
        }
        let read = self.lists.iter().all(|list| OwnedCertRevocationList::from_der(list).is_ok());
        if read { Ok(self) } else { Err(Distrust::NotCertificates) }
    }

    /// With what stands between of others, and their lists; never with their roots.
    pub fn with_others(mut self, others: &Certificates) -> Certificates {
        self.others.extend(others.others.iter().cloned());
        self.lists.extend(others.lists.iter().cloned());
        self
    }

    /// Both, with the roots of both.
    pub fn and(mut self, other: Certificates) -> Certificates {
        self.roots.extend(other.roots);
        self.others.extend(other.others);
        self.lists.extend(other.lists);
        self
    }

    /// With certificates that a token brought along. None of them is trusted for that.
    pub fn with_brought(mut self, brought: &[CertificateDer<'static>]) -> Certificates {
        let new: Vec<_> = brought.iter().filter(|one| !self.roots.contains(one)).cloned().collect();
        self.others.extend(new);
        self.others.dedup();
        self
    }

    /// Every certificate that may have signed.
    pub fn all(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.others.iter().chain(&self.roots)
    }

    /// Was this certificate good for a timestamp at a moment? Lists that are here are asked; what none tells is good.
    pub fn vouch(&self, leaf: &CertificateDer<'_>, at: Instant) -> Result<(), Distrust> {
        is_for_timestamps(leaf)?;
        let no_path = |error: Error| match error {
            Error::CertRevoked => Distrust::Revoked,
            error => Distrust::NoPath(error.to_string()),
        };
        let anchors = self.roots.iter().map(anchor_from_trusted_cert);
        let anchors: Vec<TrustAnchor<'_>> = anchors.collect::<Result<_, _>>().map_err(no_path)?;
        let lists = self.lists.iter().map(|list| OwnedCertRevocationList::from_der(list).map(CertRevocationList::from));
        let lists: Vec<CertRevocationList<'_>> = lists.collect::<Result<_, _>>().map_err(no_path)?;
        let lists: Vec<&CertRevocationList<'_>> = lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            let options = options.with_status_policy(UnknownStatusPolicy::Allow);
            // A list of back then has ended by now, and says what it said.
            options.with_expiration_policy(ExpirationPolicy::Ignore).build()
        });
        let time = UnixTime::since_unix_epoch(Duration::from_micros(at.micros().max(0) as u64));
        let certificate = EndEntityCert::try_from(leaf).map_err(no_path)?;
        let usage = KeyUsage::required(TIMESTAMPING);
        let path =
            certificate.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &self.others, time, usage, revocation, None);
        path.map(|_| ()).map_err(no_path)
    }

    /// As one PEM file: what signed first, then what stands between, roots, lists.
    pub fn to_pem(&self) -> String {
        let written = |label, bytes: &[u8]| der::pem::encode_string(label, LineEnding::LF, bytes).unwrap_or_default();
        let certificates = self.all().map(|one| written("CERTIFICATE", one));
        certificates.chain(self.lists.iter().map(|list| written("X509 CRL", list))).collect()
    }
}

/// The extended key usage is critical, and names timestamps alone.
fn is_for_timestamps(leaf: &CertificateDer<'_>) -> Result<(), Distrust> {
    let read = Certificate::from_der(leaf).map_err(|_| Distrust::NotForTimestamps)?;
    let usages = read.tbs_certificate.get::<x509_cert::ext::pkix::ExtendedKeyUsage>();
    let timestamping = der::asn1::ObjectIdentifier::from_bytes(TIMESTAMPING).map_err(|_| Distrust::NotForTimestamps)?;
    match usages {
        Ok(Some((true, usages))) if usages.0 == [timestamping] => Ok(()),
        _ => Err(Distrust::NotForTimestamps),
    }
}
