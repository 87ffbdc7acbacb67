//! Points and spans of time, as both languages write them on a clock.

use super::{EXTENSION_DURATION, EXTENSION_MOMENT, Malformed, Writer};

/// Bytes of a zone's name; the longest of the time zone database have some 30.
pub const MAX_ZONE_BYTES: usize = 128;

/// Microseconds of a second.
pub const MICROSECONDS: u32 = 1_000_000;

const CLOCK_BYTES: usize = 11;
const OFFSET_BYTES: usize = 4;
const SECONDS_OF_A_DAY: i32 = 86_400;

/// What a clock and a calendar show: a day of the proleptic Gregorian calendar, from the year 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// From 1 to 9999.
    pub year: u16,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// From 0.
    pub hour: u8,
    /// From 0.
    pub minute: u8,
    /// From 0 to 59.
    pub second: u8,
    /// From 0 to 999999.
    pub microsecond: u32,
    /// Where the clock hangs.
    pub zone: Zone<'a>,
}

/// Where a clock hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone<'a> {
    /// Nobody says: the moment is naive.
    Unknown,
    /// So many seconds east of UTC.
    Offset(i32),
    /// So many seconds east of UTC at that moment, in the zone of this name.
    Named(i32, &'a str),
}

/// A span of time: `seconds` and `microseconds` are added, and only the seconds may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// From 0 to 999999.
    pub microseconds: u32,
}

impl<'a> Moment<'a> {
    /// Reads an extension's content.
    ///
    /// # Errors
    /// [`Malformed`] if no clock and no calendar shows that.
    pub(super) fn read(content: &'a [u8]) -> Result<Self, Malformed> {
        const WHAT: Malformed = Malformed::NoMoment;
        let (clock, zone) = content.split_first_chunk::<CLOCK_BYTES>().ok_or(WHAT)?;
        let [y0, y1, month, day, hour, minute, second, microsecond @ ..] = *clock;
        let zone = match zone.split_first_chunk::<OFFSET_BYTES>() {
            None if zone.is_empty() => Zone::Unknown,
            None => return Err(WHAT),
            Some((offset, name)) => {
                let offset = i32::from_be_bytes(*offset);
                let is_name = name.len() <= MAX_ZONE_BYTES && name.iter().all(u8::is_ascii_graphic);
                let name = std::str::from_utf8(name).ok().filter(|_| is_name).ok_or(WHAT)?;
                if offset <= -SECONDS_OF_A_DAY || offset >= SECONDS_OF_A_DAY {
                    return Err(WHAT);
                }
                if name.is_empty() { Zone::Offset(offset) } else { Zone::Named(offset, name) }
            }
        };
        let (year, microsecond) = (u16::from_be_bytes([y0, y1]), u32::from_be_bytes(microsecond));
        let moment = Self { year, month, day, hour, minute, second, microsecond, zone };
        if moment.is_possible() { Ok(moment) } else { Err(WHAT) }
    }

    const fn is_possible(&self) -> bool {
        let year = self.year;
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => return false,
        };
        let is_time = self.hour < 24 && self.minute < 60 && self.second < 60 && self.microsecond < MICROSECONDS;
        is_time && year >= 1 && year <= 9999 && self.day >= 1 && self.day <= days
    }
}

impl Duration {
    /// Reads an extension's content, which has the right length.
    ///
    /// # Errors
    /// [`Malformed`] if its microseconds are more than a second.
    pub(super) const fn read(seconds: [u8; 8], microseconds: [u8; 4]) -> Result<Self, Malformed> {
        let (seconds, microseconds) = (i64::from_be_bytes(seconds), u32::from_be_bytes(microseconds));
        if microseconds < MICROSECONDS { Ok(Self { seconds, microseconds }) } else { Err(Malformed::NoDuration) }
    }
}

impl Writer<'_> {
    /// Writes a moment. Its zone's name has at most [`MAX_ZONE_BYTES`].
    pub fn moment(&mut self, moment: &Moment<'_>) {
        let (offset, name) = match moment.zone {
            Zone::Unknown => (None, ""),
            Zone::Offset(offset) => (Some(offset), ""),
            Zone::Named(offset, name) => (Some(offset), name),
        };
        let length = CLOCK_BYTES + offset.map_or(0, |_| OFFSET_BYTES) + name.len();
        self.raw(&[0xc7, length as u8, EXTENSION_MOMENT as u8]);
        self.raw(&moment.year.to_be_bytes());
        self.raw(&[moment.month, moment.day, moment.hour, moment.minute, moment.second]);
        self.raw(&moment.microsecond.to_be_bytes());
        if let Some(offset) = offset {
            self.raw(&offset.to_be_bytes());
        }
        self.raw(name.as_bytes());
    }

    /// Writes a duration.
    pub fn duration(&mut self, duration: Duration) {
        self.raw(&[0xc7, 12, EXTENSION_DURATION as u8]);
        self.raw(&duration.seconds.to_be_bytes());
        self.raw(&duration.microseconds.to_be_bytes());
    }
}
