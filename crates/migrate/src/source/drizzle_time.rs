//! The times and names of Drizzle's migrations.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// The digits at the beginning of a folder's name: `YYYYMMDDhhmmss`, in UTC.
const DIGITS: usize = 14;

/// The 14 digits and the rest of the name of a folder, without the `_` between them.
pub(super) fn split_folder_name(name: &str) -> Option<(&str, &str)> {
    let (digits, rest) = name.split_once('_')?;
    let is_time = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_time && !rest.is_empty()).then_some((digits, rest))
}

/// Milliseconds since 1970 of 14 digits; `None` if there is no such time.
pub(super) fn milliseconds(digits: &str) -> Option<i64> {
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u16>().ok();
    let small = |from| u8::try_from(number(from, from + 2)?).ok();
    let month = Month::try_from(small(4)?).ok()?;
    let date = Date::from_calendar_date(number(0, 4)?.into(), month, small(6)?).ok()?;
    let time = Time::from_hms(small(8)?, small(10)?, small(12)?).ok()?;
    let moment = PrimitiveDateTime::new(date, time).assume_utc();
    Some(moment.unix_timestamp() * 1000)
}

/// The name of the folder that `drizzle-kit up` makes of an entry: its time, cut to the second, and its tag without the part
/// up to the first `_`.
pub(super) fn folder_name(tag: &str, when: i64) -> String {
    let rest = tag.split_once('_').map_or(tag, |(_, rest)| rest);
    // The tag names an entry too whose time no calendar has.
    written(when, ["", "", "", "", ""]).map_or_else(|| tag.to_owned(), |digits| format!("{digits}_{rest}"))
}

/// A time for a person, in UTC: `2026-07-07 10:12:44`.
#[must_use]
pub fn readable(milliseconds: i64) -> String {
    written(milliseconds, ["-", "-", " ", ":", ":"]).unwrap_or_else(|| milliseconds.to_string())
}

/// The parts of a time, from years to seconds, with `between` them.
fn written(milliseconds: i64, between: [&str; 5]) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000)).ok()?;
    let parts = [
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
    ];
    let parts = between
        .iter()
        .zip(parts)
        .map(|(between, part)| format!("{between}{part:02}"));
    Some(format!("{:04}{}", moment.year(), parts.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::{folder_name, milliseconds, readable, split_folder_name};

    #[test]
    fn times_are_read_and_written_as_drizzle_does() {
        assert_eq!(milliseconds("20251217035037"), Some(1_765_943_437_000));
        assert_eq!(milliseconds("20260230000000"), None);
        assert_eq!(
            folder_name("0000_zero_starter", 1_765_943_437_627),
            "20251217035037_zero_starter"
        );
        assert_eq!(readable(1_765_943_437_627), "2025-12-17 03:50:37");
        assert_eq!(readable(-1), "1969-12-31 23:59:59");
        assert_eq!(
            split_folder_name("20251217035037_zero_starter"),
            Some(("20251217035037", "zero_starter"))
        );
        for name in [
            "2025_a",
            "20251217035037",
            "20251217035037_",
            "2025121703503x_a",
            "meta",
        ] {
            assert_eq!(split_folder_name(name), None, "{name}");
        }
    }
}
