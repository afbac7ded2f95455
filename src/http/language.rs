//! In which language a request is answered: a cookie that the pages set, else `Accept-Language`, else
//! Vietnamese.

use axum::http::{HeaderMap, header};

/// The two languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    Vi,
    En,
}

/// The cookie by which the pages remember a choice.
pub const COOKIE: &str = "language";

impl Language {
    pub fn of(headers: &HeaderMap) -> Language {
        match cookie(headers, COOKIE) {
            Some("en") => Language::En,
            Some("vi") => Language::Vi,
            _ => headers
                .get(header::ACCEPT_LANGUAGE)
                .and_then(|value| value.to_str().ok())
                .map_or(Language::Vi, accepted),
        }
    }

    /// One of two texts.
    pub fn say<'a>(&self, vi: &'a str, en: &'a str) -> &'a str {
        if *self == Language::Vi { vi } else { en }
    }

    pub fn as_str(&self) -> &'static str {
        self.say("vi", "en")
    }
}

/// English where it is wanted more than Vietnamese.
fn accepted(value: &str) -> Language {
    let weight = |wanted: &str| {
        let weights = value.split(',').filter_map(|range| {
            let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
            let tag = tag.trim().to_ascii_lowercase();
            let same = tag == wanted || tag.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-'));
            let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok());
            if same { weight } else { None }
        });
        weights.fold(0.0, f32::max)
    };
    if weight("en") > weight("vi") { Language::En } else { Language::Vi }
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_unless_english_is_wanted_more() {
        for (value, language) in [
            ("", Language::Vi),
            ("en", Language::En),
            ("en-GB,en;q=0.9", Language::En),
            ("vi,en", Language::Vi),
            ("vi;q=0.1, en;q=0.2", Language::En),
            ("fr", Language::Vi),
            ("energy", Language::Vi),
            ("en;q=x", Language::Vi),
        ] {
            assert_eq!(accepted(value), language, "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "en".parse().unwrap());
        assert_eq!(Language::of(&headers), Language::En);
        headers.insert(header::COOKIE, "a=b; language=vi".parse().unwrap());
        assert_eq!(Language::of(&headers), Language::Vi, "who has chosen is asked no more");
    }
}
