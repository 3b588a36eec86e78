//! Email addresses as they are stored: trimmed, in small letters, and valid.

use email_address::{EmailAddress, Options};

/// The longest that can be delivered to, in bytes: RFC 5321 allows a path of 256 with its angle brackets.
const LONGEST: usize = 254;

/// The address in the form in which it is stored, if it is one.
pub(crate) fn normalize(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let options = Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    let is_address = email.len() <= LONGEST && EmailAddress::parse_with_options(&email, options).is_ok();
    is_address.then_some(email)
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn addresses_are_trimmed_and_in_small_letters() {
        assert_eq!(
            normalize(" Ada@Example.COM\n").as_deref(),
            Some("ada@example.com")
        );
    }

    #[test]
    fn what_the_standard_allows_is_allowed() {
        for email in [
            "a@b.co",
            "first.last+tag@sub.example.org",
            "o'brien@example.ie",
            "\"quoted local\"@example.com",
            "!#$%&'*+/=?^_`{|}~-@example.com",
            "用户@例子.广告",
        ] {
            assert_eq!(normalize(email).as_deref(), Some(email));
        }
    }

    #[test]
    fn what_it_does_not_allow_is_not() {
        for email in [
            "",
            " ",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@[127.0.0.1]",
            "Ada <ada@example.com>",
            "ada@example.com, eve@example.com",
            "ada@exa mple.com",
            "ada@example.com\0",
            "ada\r\nbcc: eve@example.com",
        ] {
            assert_eq!(normalize(email), None, "{email:?}");
        }
    }

    #[test]
    fn the_longest_has_254_bytes() {
        let label = "d".repeat(61);
        let domain = format!("{label}.{label}.{label}.com");
        let local = |bytes: usize| "l".repeat(bytes - domain.len() - 1);
        let longest = format!("{}@{domain}", local(254));
        assert_eq!(normalize(&longest).as_deref(), Some(&*longest));
        assert_eq!(normalize(&format!("{}@{domain}", local(255))), None);
        let local_of_65 = format!("{}@example.com", "l".repeat(65));
        assert_eq!(normalize(&local_of_65), None);
    }
}
