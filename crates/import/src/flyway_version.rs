//! Flyway's versions: numbers with dots or underscores between them.

/// A version; `1`, `1.0` and `001` are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlywayVersion(Vec<u128>);

impl FlywayVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Option<Vec<u128>> = text.split(['.', '_']).map(|part| part.parse().ok()).collect();
        let mut parts = parts?;
        while parts.last() == Some(&0) && parts.len() > 1 {
            parts.pop();
        }
        Some(Self(parts))
    }
}

impl std::fmt::Display for FlywayVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u128::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::FlywayVersion;

    #[test]
    fn versions_are_compared_number_by_number() {
        let version = |text| FlywayVersion::parse(text).unwrap();
        assert_eq!(version("001"), version("1.0"));
        assert!(version("1_2") < version("1.10"));
        assert!(version("2") > version("1.9.9"));
        assert_eq!(version("2024_01_02").to_string(), "2024.1.2");
        assert_eq!(FlywayVersion::parse("1.a"), None);
    }
}
