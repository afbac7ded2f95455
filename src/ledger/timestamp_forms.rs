//! The forms of RFC 3161 and of the parts of CMS (RFC 5652) and ESS (RFC 5816) that a timestamp needs, in DER.

use crate::record::{digest::Digest, entry::Instant};
use cms::content_info::ContentInfo;
use der::{
    Any, DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Sequence, Tag, Writer,
    asn1::{BitString, Int, ObjectIdentifier, OctetString},
};
use x509_cert::{ext::Extensions, spki::AlgorithmIdentifierOwned};

pub const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
pub const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
pub const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
pub const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
pub const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
pub const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
pub const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
pub const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
pub const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// TimeStampReq, without policy and extensions.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Request {
    pub version: u8,
    pub imprint: Imprint,
    #[asn1(optional = "true")]
    pub nonce: Option<Int>,
    #[asn1(default = "no")]
    pub certificates: bool,
}

fn no() -> bool {
    false
}

/// MessageImprint.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Imprint {
    pub algorithm: AlgorithmIdentifierOwned,
    pub hash: OctetString,
}

impl Imprint {
    /// The SHA-256 of a message; `None` where DER cannot hold it, which it can.
    pub fn of(message: Digest) -> Option<Imprint> {
        let algorithm = AlgorithmIdentifierOwned { oid: SHA_256, parameters: Some(Any::null()) };
        Some(Imprint { algorithm, hash: OctetString::new(message.0.as_slice()).ok()? })
    }

    /// Is it the SHA-256 of a message?
    pub fn is_of(&self, message: Digest) -> bool {
        self.algorithm.oid == SHA_256 && self.hash.as_bytes() == message.0
    }
}

/// PKIStatusInfo.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Status {
    pub status: u8,
    #[asn1(optional = "true")]
    pub text: Option<Vec<String>>,
    #[asn1(optional = "true")]
    pub failure: Option<BitString>,
}

/// TimeStampResp.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Response {
    pub status: Status,
    #[asn1(optional = "true")]
    pub token: Option<ContentInfo>,
}

/// TSTInfo.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Info {
    pub version: u8,
    pub policy: ObjectIdentifier,
    pub imprint: Imprint,
    pub serial: Int,
    pub time: GenTime,
    #[asn1(optional = "true")]
    pub accuracy: Option<Accuracy>,
    #[asn1(default = "no")]
    pub ordering: bool,
    #[asn1(optional = "true")]
    pub nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub extensions: Option<Extensions>,
}

/// Accuracy.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Accuracy {
    #[asn1(optional = "true")]
    pub seconds: Option<u64>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub micros: Option<u16>,
}

/// SigningCertificateV2, and SigningCertificate, whose elements have no algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Signing<T>
where
    T: for<'a> der::Decode<'a> + der::Encode,
{
    pub certificates: Vec<T>,
    #[asn1(optional = "true")]
    pub policies: Option<Vec<Any>>,
}

/// ESSCertIDv2.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct CertificateIdV2 {
    /// SHA-256 where there is none.
    #[asn1(optional = "true")]
    pub algorithm: Option<AlgorithmIdentifierOwned>,
    pub hash: OctetString,
    #[asn1(optional = "true")]
    pub issuer: Option<Any>,
}

/// ESSCertID, which is always SHA-1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct CertificateId {
    pub hash: OctetString,
    #[asn1(optional = "true")]
    pub issuer: Option<Any>,
}

/// A GeneralizedTime that may have fractions of a second, as RFC 3161 allows: `20261127030405.25Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenTime(pub Instant);

/// The longest that RFC 3161 time is: nanoseconds.
const TIME_BYTES_MAX: usize = 25;

impl FixedTag for GenTime {
    const TAG: Tag = Tag::GeneralizedTime;
}

impl<'a> DecodeValue<'a> for GenTime {
    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let length = usize::try_from(header.length)?;
        let malformed = || Tag::GeneralizedTime.value_error();
        if length > TIME_BYTES_MAX {
            return Err(malformed());
        }
        let text = reader.read_slice(header.length)?;
        moment(std::str::from_utf8(text).map_err(|_| malformed())?).map(GenTime).ok_or_else(malformed)
    }
}

/// Written as it was read is not needed: tokens are kept byte for byte.
impl EncodeValue for GenTime {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(spelt(self.0).len())
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(spelt(self.0).as_bytes())
    }
}

fn spelt(moment: Instant) -> String {
    let text = moment.to_string();
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let digits = digits.trim_end_matches('0').trim_end_matches('.').to_owned();
    let whole = format!("{digits:0<14}");
    format!("{whole}Z")
}

/// `YYYYMMDDHHMMSS[.f…]Z`, cut to microseconds.
fn moment(text: &str) -> Option<Instant> {
    let (whole, fraction) = text.strip_suffix('Z')?.split_at_checked(14)?;
    let fraction = match fraction.strip_prefix('.') {
        Some(digits) if !digits.is_empty() && !digits.ends_with('0') => digits,
        None if fraction.is_empty() => "0",
        _ => return None,
    };
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let cut: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    let part = |from: usize, to: usize| whole.get(from..to).unwrap_or_default();
    let (date, time) = ((part(0, 4), part(4, 6), part(6, 8)), (part(8, 10), part(10, 12), part(12, 14)));
    format!("{}-{}-{}T{}:{}:{}.{cut}Z", date.0, date.1, date.2, time.0, time.1, time.2).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::{Decode, Encode};

    #[test]
    fn moments_with_and_without_fractions() {
        for (text, expected) in [
            ("20261127030405Z", Some("2026-11-27T03:04:05.000000Z")),
            ("20261127030405.25Z", Some("2026-11-27T03:04:05.250000Z")),
            ("20261127030405.1234567Z", Some("2026-11-27T03:04:05.123456Z")),
            ("20261127030400Z", Some("2026-11-27T03:04:00.000000Z")),
            ("20261127030405.250Z", None),
            ("20261127030405.Z", None),
            ("20261127030405", None),
            ("202611270304Z", None),
            ("20261332030405Z", None),
            ("2026112703040\u{e9}Z", None),
        ] {
            assert_eq!(moment(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
        for text in ["20261127030405Z", "20261127030400Z", "20261127030405.25Z", "20261120000000Z"] {
            let read = GenTime(moment(text).unwrap());
            assert_eq!(spelt(read.0), text);
            assert_eq!(GenTime::from_der(&read.to_der().unwrap()), Ok(read));
        }
    }
}
