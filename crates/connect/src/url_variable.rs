//! The variables that hold the database's URL, and which of them decides.

use zerostarter_settings::{Reader, Setting, trimmed};

use crate::url::PostgresUrl;

/// A pair of variables that hold the URL: one its text, the other the path of a file with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlVariable {
    name: &'static str,
    file_name: &'static str,
}

/// `POSTGRES_URL` and `POSTGRES_URL_FILE`.
pub const POSTGRES_URL: UrlVariable = UrlVariable {
    name: "POSTGRES_URL",
    file_name: "POSTGRES_URL_FILE",
};

/// `POSTGRES_DIRECT_URL` and `POSTGRES_DIRECT_URL_FILE`.
pub const POSTGRES_DIRECT_URL: UrlVariable = UrlVariable {
    name: "POSTGRES_DIRECT_URL",
    file_name: "POSTGRES_DIRECT_URL_FILE",
};

/// `DATABASE_URL` and `DATABASE_URL_FILE`: the names that most Drizzle projects use. They are read only if no other variable is
/// set, in whatever place, because other programs give them to other databases.
pub const DATABASE_URL: UrlVariable = UrlVariable {
    name: "DATABASE_URL",
    file_name: "DATABASE_URL_FILE",
};

/// The URL in force, and where it comes from.
pub(crate) struct FoundUrl {
    /// The name of the [`UrlVariable`].
    pub(crate) variable: &'static str,
    /// The variable that was set: the pair's name or its file form.
    name: &'static str,
    /// What it was set to.
    pub(crate) setting: Setting,
    /// The URL.
    pub(crate) url: PostgresUrl,
    /// Variables that would decide if they were in a place as important, as messages name them.
    pub(crate) overruled: Vec<String>,
}

impl FoundUrl {
    /// The variable that was set, as messages name it.
    pub(crate) fn label(&self) -> String {
        self.setting.label(self.name)
    }

    /// The variable and its place.
    pub(crate) fn source(&self) -> String {
        format!("{}, {}", self.name, self.setting.origin)
    }
}

/// A variable that is set.
struct Candidate {
    variable: UrlVariable,
    name: &'static str,
    setting: Setting,
}

/// Reads the URL. The most important place that has any of `variables` decides, and there the first of them. Every one in
/// that place must be valid; those in other places are not read.
pub(crate) fn read_url(reader: &mut Reader<'_>, variables: &[UrlVariable]) -> Option<FoundUrl> {
    let pairs = variables
        .iter()
        .flat_map(|variable| [(*variable, variable.name), (*variable, variable.file_name)]);
    let candidate = |(variable, name)| {
        let setting = reader.setting(name)?;
        Some(Candidate {
            variable,
            name,
            setting,
        })
    };
    let (mut candidates, mut fallbacks): (Vec<Candidate>, Vec<Candidate>) = pairs
        .filter_map(candidate)
        .partition(|candidate| candidate.variable != DATABASE_URL);
    if candidates.is_empty() {
        candidates = std::mem::take(&mut fallbacks);
    }
    let mut place: Option<&Setting> = None;
    for Candidate { setting, .. } in &candidates {
        if place.is_none_or(|place| reader.outranks(setting, place)) {
            place = Some(setting);
        }
    }
    let Some(origin) = place.map(|setting| setting.origin.clone()) else {
        reader.problem(
            "POSTGRES_URL",
            "is not set",
            Some("set POSTGRES_URL to postgres://user:password@host:5432/database, or POSTGRES_URL_FILE to a file that holds it"),
        );
        return None;
    };
    let (deciding, others): (Vec<_>, Vec<_>) = candidates
        .into_iter()
        .partition(|candidate| candidate.setting.origin == origin);
    let first = deciding.first()?.variable;
    let is_before = |variable| {
        variables
            .iter()
            .take_while(|other| **other != first)
            .any(|other| *other == variable)
    };
    let is_the_same = |one: &Candidate| {
        deciding
            .iter()
            .any(|other| other.setting.value == one.setting.value)
    };
    let overruled = others
        .iter()
        .filter(|other| other.variable == first || is_before(other.variable))
        .chain(fallbacks.iter().filter(|fallback| !is_the_same(fallback)))
        .map(|other| other.setting.label(other.name))
        .collect();
    let mut found = Vec::new();
    for of_pair in deciding.chunk_by(|one, other| one.variable == other.variable) {
        match of_pair {
            [candidate] => found.push(read(reader, candidate)),
            [candidate, ..] => reader.problem(
                candidate.setting.label(candidate.name),
                format!("and {} are both set", candidate.variable.file_name),
                Some("keep one of the two"),
            ),
            [] => {}
        }
    }
    let url = found.into_iter().next()??;
    let Candidate { name, setting, .. } = deciding.into_iter().next()?;
    Some(FoundUrl {
        variable: first.name,
        name,
        setting,
        url,
        overruled,
    })
}

fn read(reader: &mut Reader<'_>, candidate: &Candidate) -> Option<PostgresUrl> {
    let Candidate {
        variable,
        name,
        setting,
    } = candidate;
    let label = setting.label(name);
    let text = if *name == variable.file_name {
        let path = reader.path(name)?;
        let bytes = reader.file(&label, &path)?;
        let Ok(text) = String::from_utf8(bytes) else {
            reader.problem(label, "names a file that is not UTF-8", None);
            return None;
        };
        text
    } else {
        setting.value.clone()
    };
    match trimmed(&text).parse::<PostgresUrl>() {
        Ok(url) => Some(url),
        Err(error) => {
            reader.problem(label, error.to_string(), error.hint());
            None
        }
    }
}
