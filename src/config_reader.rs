//! Reads settings one by one and remembers every problem, so that all are reported in one go.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, SslNegotiation};

use crate::config::{NodeEnv, Problem, Purpose};
use crate::postgres_url::{Address, PostgresUrl, Secret};
use crate::settings::{Settings, named};
use crate::tls::{TlsMaterial, TlsPolicy};
use crate::url_parameters::{RootCertificate, SslMode};

/// The password that compose.yaml has where nobody has chosen one.
const LOCAL_PASSWORD: &str = "local-development-only";

/// The longest timeout that PostgreSQL knows: milliseconds in a 32-bit number.
const LONGEST_DURATION: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// Collects problems while settings are read one by one.
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(settings: &'a Settings, read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Self {
        Self {
            settings,
            read_file,
            problems: Vec::new(),
        }
    }
}

impl Reader<'_> {
    fn problem(&mut self, variable: impl Into<String>, message: impl Into<String>, hint: Option<&str>) {
        self.problems.push(Problem {
            variable: variable.into(),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.settings.get(name).map(|setting| setting.value)
    }

    pub(crate) fn parse<T>(
        &mut self,
        name: &str,
        complaint: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let setting = self.settings.get(name)?;
        let parsed = parse(&setting.value);
        if parsed.is_none() {
            self.problem(named(name, &setting), complaint, None);
        }
        parsed
    }

    /// A path. A URL in its place may hold a password, and paths are shown.
    pub(crate) fn path(&mut self, name: &str) -> Option<PathBuf> {
        const COMPLAINT: &str = "is a URL, where a path is expected";
        self.parse(name, COMPLAINT, |text| {
            (!text.contains("://")).then(|| PathBuf::from(text))
        })
    }

    pub(crate) fn yes_or_no(&mut self, name: &str) -> bool {
        let answer = self.parse(name, "is not yes or no", |text| match text {
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => None,
        });
        answer.unwrap_or_default()
    }

    /// Less than a millisecond would be sent as 0, which means for ever. What is longer than the server counts is
    /// refused also where only we count it: the clock does not reach to the end of every duration.
    pub(crate) fn duration(&mut self, name: &str) -> Duration {
        let parsed = self.parse(name, "is not a duration such as 250ms, 30s or 10m", |text| {
            if text == "0" {
                Some(Duration::ZERO)
            } else {
                humantime::parse_duration(text).ok()
            }
        });
        let duration = parsed.unwrap_or_default();
        let complaint = if duration > LONGEST_DURATION {
            "is longer than the 24 days that PostgreSQL can count"
        } else if !duration.is_zero() && duration < Duration::from_millis(1) {
            "is shorter than the millisecond that PostgreSQL counts in"
        } else {
            return duration;
        };
        let variable = self.settings.get(name).map(|setting| named(name, &setting));
        self.problem(variable.unwrap_or_default(), complaint, None);
        Duration::ZERO
    }

    /// A limit that has to be there.
    #[cfg(feature = "pool")]
    pub(crate) fn positive_duration(&mut self, name: &str) -> Duration {
        let problems_before = self.problems.len();
        let duration = self.duration(name);
        if duration.is_zero() && self.problems.len() == problems_before {
            let variable = self.settings.get(name).map(|setting| named(name, &setting));
            self.problem(variable.unwrap_or_default(), "is 0, and a limit is needed", None);
        }
        duration
    }

    /// A timeout of the server's, of which 0 means none.
    pub(crate) fn server_duration(&mut self, name: &str) -> Duration {
        if self
            .settings
            .get(name)
            .is_some_and(|setting| setting.value == "none")
        {
            return Duration::ZERO;
        }
        self.duration(name)
    }

    /// The stack's password for a first try on one's own machine is in a file that everybody can read.
    pub(crate) fn refuse_local_password(&mut self, variable: &str, url: &PostgresUrl) {
        let password = url.password.as_ref().map(Secret::expose);
        if password == Some(LOCAL_PASSWORD) {
            self.problem(
                variable,
                "has the default password of compose.yaml, which everybody knows, and this is production",
                Some("set POSTGRES_PASSWORD to a password of your own"),
            );
        }
    }

    pub(crate) fn node_env(&mut self) -> Option<NodeEnv> {
        const ALLOWED: &str = "is not local, development, test, staging or production";
        if self.settings.get("NODE_ENV").is_none() {
            self.problem(
                "NODE_ENV",
                "is not set",
                Some("set NODE_ENV to local, development, test, staging or production"),
            );
        }
        self.parse("NODE_ENV", ALLOWED, NodeEnv::parse)
    }

    /// The URL to use, and the variable it came from.
    pub(crate) fn url(&mut self, purpose: Purpose) -> Option<(&'static str, PostgresUrl)> {
        let direct = match purpose {
            Purpose::Migration => self.one_url("POSTGRES_DIRECT_URL", "POSTGRES_DIRECT_URL_FILE"),
            Purpose::Application => None,
        };
        let problems_before = self.problems.len();
        let pooled = self.one_url("POSTGRES_URL", "POSTGRES_URL_FILE");
        let nothing_was_set = direct.is_none() && pooled.is_none() && self.problems.len() == problems_before;
        let names_a_direct_url = ["POSTGRES_DIRECT_URL", "POSTGRES_DIRECT_URL_FILE"]
            .iter()
            .any(|name| self.settings.get(name).is_some());
        if nothing_was_set && !(purpose == Purpose::Migration && names_a_direct_url) {
            self.problem(
                "POSTGRES_URL",
                "is not set",
                Some("set POSTGRES_URL to postgres://user:password@host:5432/database, or POSTGRES_URL_FILE to a file that holds it"),
            );
        }
        let mut url = direct.or(pooled)?;
        if self.settings.get("INTERNAL_API_URL").is_some() {
            url.1.rewrite_localhost();
        }
        Some(url)
    }

    fn one_url(
        &mut self,
        name: &'static str,
        file_name: &'static str,
    ) -> Option<(&'static str, PostgresUrl)> {
        let (variable, text) = match (self.settings.get(name), self.settings.get(file_name)) {
            (None, None) => return None,
            (Some(value), Some(file)) if value.origin == file.origin => {
                self.problem(
                    named(name, &value),
                    format!("and {file_name} are both set"),
                    Some("keep one of the two"),
                );
                return None;
            }
            (Some(value), file)
                if file
                    .as_ref()
                    .is_none_or(|file| self.settings.outranks(&value, file)) =>
            {
                (named(name, &value), value.value)
            }
            (_, Some(file)) => {
                let variable = named(file_name, &file);
                let path = self.path(file_name)?;
                let bytes = self.file(&variable, &path)?;
                let Ok(text) = String::from_utf8(bytes) else {
                    self.problem(variable, "names a file that is not UTF-8", None);
                    return None;
                };
                (variable, text.trim().to_owned())
            }
            (Some(_), None) => unreachable!("a value alone outranks a file that is not set"),
        };
        match text.parse::<PostgresUrl>() {
            Ok(url) => Some((name, url)),
            Err(error) => {
                self.problem(variable, error.to_string(), error.hint());
                None
            }
        }
    }

    fn file(&mut self, variable: &str, path: &Path) -> Option<Vec<u8>> {
        match (self.read_file)(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problem(
                    variable,
                    format!("names a file that cannot be read: {}: {error}", path.display()),
                    None,
                );
                None
            }
        }
    }

    pub(crate) fn tls(
        &mut self,
        url: Option<&(&'static str, PostgresUrl)>,
        production: bool,
        plaintext: bool,
    ) -> (TlsPolicy, TlsMaterial) {
        let mut material = TlsMaterial::default();
        let ca_variable = self.settings.get("POSTGRES_CA_FILE");
        let ca_path = self.path("POSTGRES_CA_FILE");
        let fallback = || (TlsPolicy::Plaintext, TlsMaterial::default());
        let Some((variable, url)) = url else {
            if let (Some(setting), Some(path)) = (ca_variable, ca_path) {
                self.trust_only(&mut material, &named("POSTGRES_CA_FILE", &setting), &path);
            }
            return fallback();
        };
        let parameters = &url.parameters;
        let mut mode = parameters.ssl_mode;
        let own_ca = match (&ca_variable, &parameters.ssl_root_cert) {
            (Some(setting), _) => {
                if let Some(path) = ca_path {
                    self.trust_only(&mut material, &named("POSTGRES_CA_FILE", setting), &path);
                }
                true
            }
            (None, Some(RootCertificate::File(path))) => {
                self.trust_only(
                    &mut material,
                    &format!("{variable}, parameter sslrootcert,"),
                    path,
                );
                true
            }
            (None, Some(RootCertificate::System)) => {
                // As libpq: anybody can get a certificate from a public authority, so only the name tells.
                if *mode.get_or_insert(SslMode::VerifyFull) != SslMode::VerifyFull && !production {
                    self.problem(
                        *variable,
                        "has sslrootcert=system with a weaker sslmode than verify-full",
                        Some("use sslmode=verify-full"),
                    );
                }
                false
            }
            (None, None) => false,
        };
        match (&parameters.ssl_cert, &parameters.ssl_key) {
            (None, None) => {}
            (Some(certificate), Some(key)) => {
                let label = format!("{variable}, parameters sslcert and sslkey,");
                if let (Some(certificate), Some(key)) =
                    (self.file(&label, certificate), self.file(&label, key))
                    && let Err(complaint) = material.present(&certificate, &key)
                {
                    self.problem(label, format!("name a file that {complaint}"), None);
                }
            }
            _ => self.problem(*variable, "has one of sslcert and sslkey without the other", None),
        }
        let only_sockets = url
            .hosts
            .iter()
            .all(|host| matches!(host.address, Address::Unix(_)));
        let Ok(policy) = TlsPolicy::decide(production, mode, own_ca, plaintext || only_sockets) else {
            self.problem(
                *variable,
                "has sslmode=disable, which is refused with NODE_ENV=production",
                Some("remove sslmode=disable, or set POSTGRES_PLAINTEXT_IN_PRODUCTION=yes if the network to the database is private"),
            );
            return fallback();
        };
        let required = matches!(policy, TlsPolicy::Required(_));
        if parameters.ssl_negotiation == Some(SslNegotiation::Direct) && !required {
            self.problem(
                *variable,
                "has sslnegotiation=direct with an sslmode that allows plaintext",
                Some("add sslmode=require or stronger"),
            );
        }
        if parameters.channel_binding == Some(ChannelBinding::Require) && policy == TlsPolicy::Plaintext {
            self.problem(
                *variable,
                "has channel_binding=require without TLS",
                Some("add sslmode=require or stronger"),
            );
        }
        (policy, material)
    }

    fn trust_only(&mut self, material: &mut TlsMaterial, variable: &str, path: &Path) {
        if let Some(pem) = self.file(variable, path)
            && let Err(complaint) = material.trust_only(&pem)
        {
            self.problem(
                variable,
                format!("names a file that {complaint}: {}", path.display()),
                Some("it has to be the PEM file of the CA that signed the server's certificate"),
            );
        }
    }
}
