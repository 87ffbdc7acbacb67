//! The units of settings: seconds, and bytes with K, M or G behind them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds that a setting may be at most: ten years.
const MAX_SECONDS: f64 = 10.0 * 366.0 * 86400.0;

const NO_SECONDS: &str = "a number of seconds from 0 to 316224000, such as 30 or 0.5";

const NO_SIZE: &str = "a number of bytes, with K, M or G for 1024, 1024² or 1024³ of them, such as \"512M\"";

/// A span of time, set in seconds: `30` or `0.5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// A number of bytes: `512M`, `1G` or `65536`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size(pub u64);

/// Why a text is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be {0}")]
pub struct UnitError(&'static str);

impl Seconds {
    /// Whole seconds.
    #[must_use]
    pub const fn whole(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The span, or None for 0, which means: no bound.
    #[must_use]
    pub fn bound(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }

    fn read(seconds: f64) -> Result<Self, UnitError> {
        // Neither an infinite number nor none at all is in the range.
        if !(0.0..=MAX_SECONDS).contains(&seconds) {
            return Err(UnitError(NO_SECONDS));
        }
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| UnitError(NO_SECONDS))
    }
}

impl FromStr for Seconds {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.parse().map_err(|_| UnitError(NO_SECONDS)).and_then(Self::read)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Seconds;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(NO_SECONDS)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Seconds, E> {
                #[expect(clippy::cast_precision_loss, reason = "what would lose some is out of range")]
                Seconds::read(number as f64).map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Seconds, E> {
                Seconds::read(number).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.subsec_nanos() {
            0 => serializer.serialize_u64(self.0.as_secs()),
            _ => serializer.serialize_f64(self.0.as_secs_f64()),
        }
    }
}

impl Size {
    /// The number, or None for 0, which means: no bound.
    #[must_use]
    pub fn bound(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (digits, unit) = match text.as_bytes().last() {
            Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
            Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
            Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
            _ => (text, 1),
        };
        let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        // The system's own limits are signed numbers in places.
        let bytes = number.and_then(|number| number.checked_mul(unit)).filter(|bytes| i64::try_from(*bytes).is_ok());
        bytes.map(Self).ok_or(UnitError(NO_SIZE))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, unit) in [(30, "G"), (20, "M"), (10, "K")] {
            if self.0 > 0 && self.0.trailing_zeros() >= shift {
                return write!(formatter, "{}{unit}", self.0 >> shift);
            }
        }
        write!(formatter, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Size;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(NO_SIZE)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Size, E> {
                u64::try_from(number).map(Size).map_err(|_| E::custom(UnitError(NO_SIZE)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_parts() {
        for (text, milliseconds) in [("0", 0), ("30", 30_000), ("0.25", 250), ("316224000", 316_224_000_000)] {
            assert_eq!(text.parse(), Ok(Seconds(Duration::from_millis(milliseconds))), "{text}");
            assert_eq!(text.parse::<Seconds>().expect(text).to_string(), text);
        }
        for text in ["", "-1", "soon", "NaN", "inf", "316224001", "5s"] {
            assert_eq!(text.parse::<Seconds>(), Err(UnitError(NO_SECONDS)), "{text}");
        }
    }

    #[test]
    fn sizes_have_suffixes() {
        for (text, bytes) in [("0", 0), ("1000", 1000), ("3K", 3 << 10), ("512M", 512 << 20), ("7G", 7 << 30)] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
            assert_eq!(Size(bytes).to_string(), text);
        }
        assert_eq!("512m".parse(), Ok(Size(512 << 20)));
        for text in ["", "M", "-1", "+1", "1.5G", "1T", "1 G", "8589934592G", "9223372036854775808"] {
            assert_eq!(text.parse::<Size>(), Err(UnitError(NO_SIZE)), "{text}");
        }
    }
}
