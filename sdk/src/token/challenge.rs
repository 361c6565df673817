//! `WWW-Authenticate` challenges (RFC 9110 §11.6.1, RFC 6750 §3), both ways.

use std::fmt;

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::Scopes;
use super::reader::Reader;

/// The most text of challenges that is read from one response, in bytes.
const MAX_BYTES: usize = 8 << 10;
/// The most challenges that are read from one response.
const MAX_CHALLENGES: usize = 16;
/// The most parameters of one challenge.
const MAX_PARAMS: usize = 16;

/// Why a `WWW-Authenticate` header could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChallengeError {
    /// The text does not follow the grammar.
    #[error("the challenge is malformed at byte {at}")]
    Syntax {
        /// Where, counted from 0.
        at: usize,
    },
    /// A parameter stands twice in one challenge.
    #[error("the challenge repeats a parameter at byte {at}")]
    Repeated {
        /// Where its second value ends, counted from 0.
        at: usize,
    },
    /// Too many bytes, challenges or parameters.
    #[error("the response has more challenges than are read")]
    TooMany,
}

impl ChallengeError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::Repeated { .. } => "token.challenge_malformed",
            Self::TooMany => "token.challenge_too_long",
        }
    }
}

/// One challenge: how a server wants to be convinced.
///
/// ```
/// use countersign::token::Challenge;
/// let needed = "payments.charge".parse()?;
/// assert_eq!(
///     Challenge::insufficient_scope(&needed).to_string(),
///     r#"Bearer error="insufficient_scope", scope="payments.charge""#
/// );
/// let read = Challenge::parse_all(r#"Basic realm="x", Bearer error="invalid_token""#)?;
/// assert_eq!(read[1].error(), Some("invalid_token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    params: Vec<(String, String)>,
}

impl Challenge {
    fn of(scheme: &str) -> Self {
        Self {
            scheme: scheme.to_owned(),
            token68: None,
            params: Vec::new(),
        }
    }

    /// A bare `Bearer`: no token was presented, so there is no error to name (RFC 6750 §3.1).
    pub fn bearer() -> Self {
        Self::of("Bearer")
    }

    /// Status 401: the token was refused.
    pub fn invalid_token() -> Self {
        Self::bearer().with("error", "invalid_token")
    }

    /// Status 403: the token is good, but `needed` is not in its scope.
    pub fn insufficient_scope(needed: &Scopes) -> Self {
        Self::bearer()
            .with("error", "insufficient_scope")
            .with("scope", &needed.to_string())
    }

    /// With one parameter more. Characters a header cannot carry become `?`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let fits = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
        let value = value.chars().map(fits).collect();
        self.params.push((name.to_owned(), value));
        self
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the scheme is `Bearer`, in any case.
    pub fn is_bearer(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("bearer")
    }

    /// The value of a parameter; names are compared without regard to case.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut params = self.params.iter();
        let found = params.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// The value of `error`.
    pub fn error(&self) -> Option<&str> {
        self.param("error")
    }

    /// The value of `scope`, when it is one.
    pub fn scope(&self) -> Option<Scopes> {
        self.param("scope")?.parse().ok()
    }

    /// The challenge as a header value.
    pub fn to_header(&self) -> HeaderValue {
        // Every character was checked when it came in; should one be wrong, the bare scheme is right.
        HeaderValue::try_from(self.to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    /// All challenges of a response, over all its `WWW-Authenticate` headers.
    ///
    /// # Errors
    /// [`ChallengeError`] for the first header that cannot be read.
    pub fn from_headers(headers: &HeaderMap) -> Result<Vec<Self>, ChallengeError> {
        let mut all = Vec::new();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let text = value
                .to_str()
                .map_err(|_| ChallengeError::Syntax { at: 0 })?;
            all.append(&mut Self::parse_all(text)?);
            if all.len() > MAX_CHALLENGES {
                return Err(ChallengeError::TooMany);
            }
        }
        Ok(all)
    }

    /// All challenges of one header; several may stand in it.
    ///
    /// # Errors
    /// [`ChallengeError`] naming the place.
    pub fn parse_all(header: &str) -> Result<Vec<Self>, ChallengeError> {
        if header.len() > MAX_BYTES {
            return Err(ChallengeError::TooMany);
        }
        let mut reader = Reader::of(header);
        let mut all: Vec<Self> = Vec::new();
        loop {
            reader.skip(b" \t,");
            if reader.peek().is_none() {
                return Ok(all);
            }
            let word = reader.token()?;
            match all.last_mut() {
                // A name followed by `=` belongs to the challenge before it; else it is a scheme.
                Some(open) if reader.has_equals() => open.read_param(word, &mut reader)?,
                _ => {
                    if all.len() == MAX_CHALLENGES {
                        return Err(ChallengeError::TooMany);
                    }
                    let mut challenge = Self::of(word);
                    challenge.token68 = reader.token68().map(str::to_owned);
                    if challenge.token68.is_none() && reader.after_space() {
                        let name = reader.token()?;
                        challenge.read_param(name, &mut reader)?;
                    }
                    all.push(challenge);
                }
            }
            reader.end_of_element()?;
        }
    }

    fn read_param(&mut self, name: &str, reader: &mut Reader<'_>) -> Result<(), ChallengeError> {
        if self.token68.is_some() {
            return Err(reader.wrong());
        }
        reader.equals()?;
        let value = reader.value()?;
        // RFC 9110 §11.2: a parameter name must not occur twice in one challenge.
        if self.param(name).is_some() {
            return Err(ChallengeError::Repeated { at: reader.place() });
        }
        if self.params.len() == MAX_PARAMS {
            return Err(ChallengeError::TooMany);
        }
        self.params.push((name.to_owned(), value));
        Ok(())
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        if let Some(token68) = &self.token68 {
            write!(f, " {token68}")?;
        }
        for (at, (name, value)) in self.params.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "{comma} {name}=\"{value}\"")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Vec<Challenge> {
        Challenge::parse_all(header).expect("readable")
    }

    #[test]
    fn several_challenges_in_one_header_are_told_apart() {
        let all = read(
            r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple", Negotiate, Digest ab+/==, bearer error = "invalid_token" , scope="b a""#,
        );
        let schemes: Vec<_> = all.iter().map(Challenge::scheme).collect();
        assert_eq!(
            schemes,
            ["Newauth", "Basic", "Negotiate", "Digest", "bearer"]
        );
        assert_eq!(all[0].param("TITLE"), Some("Login to \"apps\""));
        assert_eq!(all[0].param("type"), Some("1"));
        assert_eq!(all[1].param("realm"), Some("simple"));
        assert_eq!(all[3].token68.as_deref(), Some("ab+/=="));
        assert!(all[4].is_bearer());
        assert_eq!(all[4].scope(), "a b".parse().ok());
        assert_eq!(read(""), []);
        assert_eq!(read(" , ,Bearer,, ").len(), 1);
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        for challenge in [
            Challenge::bearer(),
            Challenge::invalid_token(),
            Challenge::insufficient_scope(&"a b".parse().expect("scopes")),
            Challenge::bearer().with("realm", "a \"b\\ c, Basic x=\"y"),
        ] {
            assert_eq!(read(&challenge.to_string()).first(), Some(&challenge));
            assert_eq!(
                challenge.to_header().as_bytes(),
                challenge.to_string().as_bytes()
            );
        }
        let odd = Challenge::bearer().with("realm", "a\r\nb: c\u{e4}");
        assert_eq!(odd.to_string(), "Bearer realm=\"a??b: c?\"");
    }

    #[test]
    fn malformed_challenges_are_refused_at_their_place() {
        for (header, at) in [
            ("realm=\"x\"", 5),
            ("Bearer a=1, error=", 18),
            ("Bearer error=\"x", 15),
            ("Bearer error=\"x\" scope=\"y\"", 17),
            ("Bearer error=\"\u{7f}\"", 14),
            ("Digest ab==, realm=x", 18),
            ("Bearer a b", 9),
            ("\"Bearer\"", 0),
            ("Bearer \u{e4}=1", 7),
            ("Bearer a=1 b", 11),
        ] {
            let got = Challenge::parse_all(header);
            assert_eq!(got, Err(ChallengeError::Syntax { at }), "{header}");
        }
        let twice = Challenge::parse_all("Bearer error=a, Error=b");
        assert_eq!(twice, Err(ChallengeError::Repeated { at: 23 }));
    }

    #[test]
    fn the_limits_have_exact_edges() {
        let challenges = |n: usize| vec!["Bearer"; n].join(", ");
        assert_eq!(read(&challenges(16)).len(), 16);
        let over = Challenge::parse_all(&challenges(17));
        assert_eq!(over, Err(ChallengeError::TooMany));

        let params = |n: usize| {
            let all: Vec<_> = (0..n).map(|i| format!("p{i}=1")).collect();
            format!("Bearer {}", all.join(", "))
        };
        assert!(Challenge::parse_all(&params(16)).is_ok());
        let over = Challenge::parse_all(&params(17));
        assert_eq!(over, Err(ChallengeError::TooMany));

        let long = |len: usize| format!("Bearer a=\"{}\"", "x".repeat(len - 11));
        assert!(Challenge::parse_all(&long(8 << 10)).is_ok());
        let over = Challenge::parse_all(&long((8 << 10) + 1));
        assert_eq!(over, Err(ChallengeError::TooMany));

        let mut headers = HeaderMap::new();
        for _ in 0..16 {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        assert_eq!(
            Challenge::from_headers(&headers).map(|all| all.len()),
            Ok(16)
        );
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        assert_eq!(
            Challenge::from_headers(&headers),
            Err(ChallengeError::TooMany)
        );
    }
}
