//! Points and spans of time: `DateTimeInterface` and `DateInterval`, read and made by PHP's own methods.

use ext_php_rs::ffi::{instanceof_function_slow, zend_class_entry, zend_object};
use ext_php_rs::types::Zval;
use tortoise_protocol::codec::{Duration, MAX_ZONE_BYTES, MICROSECONDS, Moment, Zone};

use super::path::Unconvertible;
use crate::engine::{
    NewString, NotCalled, call_native_method, class_in_table, make, new_native, object_of, properties, set_property,
    take_exception,
};
use crate::error::BridgeError;
use crate::link::Outgoing;

/// Seconds of a day.
const DAY: i128 = 86_400;

/// The years that Python's dates have.
const YEARS: std::ops::RangeInclusive<i64> = 1..=9999;

/// The units of a relative date that are always as long. `sat` and the like are no spans.
const UNITS: [&str; 9] = ["microsecond", "usec", "sec", "second", "min", "minute", "hour", "day", "week"];

/// Writes a point or a span of time, and says whether the object is one.
///
/// # Errors
/// [`Unconvertible`] says what Python has no value for.
pub(super) fn write(outgoing: &mut Outgoing<'_>, object: &zend_object) -> Result<bool, Unconvertible> {
    if is_a(object, b"datetimeinterface") {
        write_moment(outgoing, object)?;
    } else if is_a(object, b"dateinterval") {
        outgoing.duration(duration_of(object)?);
    } else if is_a(object, b"datetimezone") {
        return Err(Unconvertible::new(
            "a DateTimeZone cannot be given to Python; pass its name, or a DateTimeInterface in that zone",
        ));
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn write_moment(outgoing: &mut Outgoing<'_>, object: &zend_object) -> Result<(), Unconvertible> {
    let shown = shown_by(b"datetimeimmutable", object, "Y n j G i s u Z e T")?;
    let shown = shown.zend_str().and_then(|shown| std::str::from_utf8(shown.as_bytes()).ok()).unwrap_or_default();
    let mut parts = shown.split(' ');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    let (Some(year), Some([month, day, hour, minute, second]), Some(microsecond), Some(offset)) = (
        number(),
        [number(), number(), number(), number(), number()]
            .into_iter()
            .map(|number| number.and_then(|number| u8::try_from(number).ok()))
            .collect::<Option<Vec<_>>>()
            .and_then(|numbers| <[u8; 5]>::try_from(numbers).ok()),
        number().and_then(|number| u32::try_from(number).ok()),
        number().and_then(|number| i32::try_from(number).ok()),
    ) else {
        return Err(Unconvertible::new(format!("PHP shows a date as \"{shown}\", which makes no sense")));
    };
    let Some(year) = u16::try_from(year).ok().filter(|year| YEARS.contains(&i64::from(*year))) else {
        return Err(Unconvertible::new(format!(
            "the year {year} is not one of Python's, which go from {} to {}",
            YEARS.start(),
            YEARS.end()
        )));
    };
    let (name, abbreviation) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let zone = if is_zone_name(name, abbreviation) { Zone::Named(offset, name) } else { Zone::Offset(offset) };
    outgoing.moment(&Moment { year, month, day, hour, minute, second, microsecond, zone });
    Ok(())
}

/// Whether PHP shows a zone of the time zone database: an offset begins with its sign, and an abbreviation is no more
/// than itself.
fn is_zone_name(name: &str, abbreviation: &str) -> bool {
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && name.len() <= MAX_ZONE_BYTES;
    is_name && (name != abbreviation || name == "UTC")
}

/// How long an interval is.
fn duration_of(object: &zend_object) -> Result<Duration, Unconvertible> {
    check_is_span(object)?;
    let shown = shown_by(b"dateinterval", object, "%y %m %d %h %i %s %f %R %a")?;
    let shown = shown.zend_str().and_then(|shown| std::str::from_utf8(shown.as_bytes()).ok()).unwrap_or_default();
    let parts: Vec<_> = shown.split(' ').collect();
    let number = |place: usize| parts.get(place).and_then(|part| part.parse::<i64>().ok()).map(i128::from);
    let all: Option<Vec<_>> = (0..7).map(number).collect();
    let Some([years, months, days, hours, minutes, seconds, microseconds]) = all.as_deref() else {
        return Err(Unconvertible::new(format!("PHP shows an interval as \"{shown}\", which makes no sense")));
    };
    // Between two dates PHP has counted the days.
    let days = match number(8) {
        Some(counted) => counted,
        None if *years == 0 && *months == 0 => *days,
        None => {
            return Err(Unconvertible::new(
                "a DateInterval with months or years is no timedelta, because they are not always as long; give it in \
                 days, or take the difference of two dates",
            ));
        }
    };
    let total = (days * DAY + hours * 3600 + minutes * 60 + seconds) * i128::from(MICROSECONDS) + microseconds;
    let total = if parts[7] == "-" { -total } else { total };
    let (seconds, rest) = (total.div_euclid(i128::from(MICROSECONDS)), total.rem_euclid(i128::from(MICROSECONDS)));
    match i64::try_from(seconds) {
        Ok(seconds) => Ok(Duration { seconds, microseconds: rest as u32 }),
        Err(_) => Err(Unconvertible::new("a DateInterval that is longer than any timedelta")),
    }
}

/// Refuses what is no span: an interval that was made of a text may hold `first monday of next month`, and what it shows
/// then is nothing.
fn check_is_span(object: &zend_object) -> Result<(), Unconvertible> {
    let shown = properties(object);
    if shown.get("from_string").is_none_or(|value| value.bool() != Some(true)) {
        return Ok(());
    }
    let text = shown.get("date_string").and_then(Zval::string).unwrap_or_default().to_ascii_lowercase();
    let is_plain = |word: &str| {
        let word = word.trim_start_matches(['+', '-']).trim_start_matches(|letter: char| letter.is_ascii_digit());
        word.is_empty() || UNITS.contains(&word) || word.strip_suffix('s').is_some_and(|unit| UNITS.contains(&unit))
    };
    if text.split([' ', ',']).all(is_plain) {
        return Ok(());
    }
    Err(Unconvertible::new(format!(
        "a DateInterval that was made of \"{}\" is no timedelta; make it with new DateInterval",
        text.chars().take(60).collect::<String>()
    )))
}

/// What the method `format` of one of PHP's own classes shows.
fn shown_by(class: &[u8], object: &zend_object, form: &str) -> Result<Zval, Unconvertible> {
    let Some(class) = class_in_table(class) else { return Err(Unconvertible::pending()) };
    let form = text(form).map_err(|error| Unconvertible::new(error.to_string()))?;
    // SAFETY: the class is PHP's own, and the object is of its family: every date has the same method.
    unsafe { call_native_method(class, object, "format", [&form]) }.map_err(|_| Unconvertible::pending())
}

/// The `DateTimeImmutable` of a moment; a naive one is in PHP's default zone.
///
/// # Errors
/// [`BridgeError`] if PHP refuses it.
pub(super) fn read(moment: &Moment<'_>) -> Result<Zval, BridgeError> {
    let Moment { year, month, day, hour, minute, second, microsecond, zone } = moment;
    let offset = match zone {
        Zone::Unknown => String::new(),
        Zone::Offset(offset) | Zone::Named(offset, _) => show_offset(*offset),
    };
    let shown = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{microsecond:06}{offset}");
    let class = own_class(b"datetimeimmutable")?;
    // SAFETY: the class is PHP's own.
    let value = unsafe { new_native(class, [&text(&shown)?]) }.map_err(refused)?;
    Ok(match zone {
        Zone::Named(offset, name) => in_zone(class, &value, *offset, name)?.unwrap_or(value),
        _ => value,
    })
}

/// The same instant in a zone; None if PHP does not know the zone, or another offset for it.
fn in_zone(class: *mut zend_class_entry, value: &Zval, offset: i32, name: &str) -> Result<Option<Zval>, BridgeError> {
    let zone_class = own_class(b"datetimezone")?;
    // SAFETY: the classes are PHP's own, and the objects are of them.
    unsafe {
        let zone = match new_native(zone_class, [&text(name)?]) {
            Ok(zone) => zone,
            Err(_) => {
                drop(take_exception());
                return Ok(None);
            }
        };
        let Some(object) = object_of(value) else { return Ok(None) };
        let moved = call_native_method(class, object, "settimezone", [&zone]).map_err(refused)?;
        let Some(object) = object_of(&moved) else { return Ok(None) };
        let found = call_native_method(class, object, "getoffset", []).map_err(refused)?;
        Ok(Some(moved).filter(|_| found.long() == Some(i64::from(offset))))
    }
}

/// An offset as PHP reads it: `+02:00`, or with seconds where it has some.
fn show_offset(offset: i32) -> String {
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
    if seconds == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{seconds:02}")
    }
}

/// The `DateInterval` of a duration: days, hours, minutes, seconds and their fraction, and the sign for all.
///
/// # Errors
/// [`BridgeError`] if PHP refuses it.
pub(super) fn read_duration(duration: Duration) -> Result<Zval, BridgeError> {
    let total = i128::from(duration.seconds) * i128::from(MICROSECONDS) + i128::from(duration.microseconds);
    let size = total.unsigned_abs();
    let (seconds, microseconds) = (size / u128::from(MICROSECONDS), size % u128::from(MICROSECONDS));
    let (days, hours, minutes) = (seconds / DAY as u128, seconds / 3600 % 24, seconds / 60 % 60);
    // SAFETY: the class is PHP's own.
    let value = unsafe { new_native(own_class(b"dateinterval")?, [&text("PT0S")?]) }.map_err(refused)?;
    if let Some(object) = object_of(&value) {
        for (name, number) in [("d", days), ("h", hours), ("i", minutes), ("s", seconds % 60)] {
            // At most 64 bits of seconds make so many days.
            set_property(object, name, integer(number as i64));
        }
        // PHP keeps whole microseconds and cuts off the rest: half of one more keeps it from losing one.
        let mut fraction = Zval::new();
        fraction.set_double((microseconds as f64 + 0.5) / f64::from(MICROSECONDS));
        set_property(object, "f", fraction);
        set_property(object, "invert", integer(i64::from(total < 0)));
    }
    Ok(value)
}

fn integer(number: i64) -> Zval {
    let mut value = Zval::new();
    value.set_long(number);
    value
}

fn text(text: &str) -> Result<Zval, BridgeError> {
    make(|slot| Ok(slot.string(NewString::copy(text.as_bytes())?)))
}

fn own_class(name: &[u8]) -> Result<*mut zend_class_entry, BridgeError> {
    class_in_table(name).ok_or_else(|| BridgeError::Internal("PHP has no dates".to_owned()))
}

fn is_a(object: &zend_object, class: &[u8]) -> bool {
    let Some(class) = class_in_table(class) else { return false };
    // SAFETY: both classes are live.
    std::ptr::eq(object.ce, class) || unsafe { instanceof_function_slow(object.ce, class) }
}

fn refused(error: NotCalled) -> BridgeError {
    match error {
        NotCalled::Missing => BridgeError::Internal("PHP's dates lack a method".to_owned()),
        NotCalled::Raised => BridgeError::Pending,
    }
}
