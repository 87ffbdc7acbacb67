//! Points and spans of time, and integers of any size, between Python and the wire.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyType};
use tortoise_protocol::Writer;
use tortoise_protocol::codec::{BigInteger, Duration, Moment, Zone};
use tortoise_protocol::limits::MAX_INTEGER_BYTES;

/// `datetime`, and what reads and makes its objects.
pub(crate) struct Moments {
    /// `datetime.datetime`.
    moment: Py<PyType>,
    /// `datetime.timedelta`.
    span: Py<PyType>,
    /// The module `tortoise_worker.moments`.
    helper: Py<PyAny>,
}

/// What `moments.shown` gives.
type Clock = (u16, u8, u8, u8, u8, u8, u32, Option<i32>, String);

impl Moments {
    /// Of the module `tortoise_worker.moments`.
    ///
    /// # Errors
    /// If it lacks one of the classes.
    pub(crate) fn new(helper: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            moment: helper.getattr("datetime")?.cast_into()?.unbind(),
            span: helper.getattr("timedelta")?.cast_into()?.unbind(),
            helper: helper.clone().unbind(),
        })
    }

    /// Writes a `datetime` or `timedelta`, and says whether the object was one that the wire can carry.
    pub(crate) fn write(&self, object: &Bound<'_, PyAny>, writer: &mut Writer<'_>) -> bool {
        let (py, kind) = (object.py(), object.get_type_ptr().cast());
        if kind == self.moment.as_ptr() {
            let shown = self.helper.bind(py).call_method1(intern!(py, "shown"), (object,));
            let Some(clock) = shown.ok().and_then(|shown| shown.extract::<Clock>().ok()) else { return false };
            let (year, month, day, hour, minute, second, microsecond, offset, name) = clock;
            let zone = match offset {
                None => Zone::Unknown,
                Some(offset) if name.is_empty() => Zone::Offset(offset),
                Some(offset) => Zone::Named(offset, &name),
            };
            writer.moment(&Moment { year, month, day, hour, minute, second, microsecond, zone });
            true
        } else if kind == self.span.as_ptr() {
            let length = self.helper.bind(py).call_method1(intern!(py, "length"), (object,));
            let Some((seconds, microseconds)) = length.ok().and_then(|length| length.extract().ok()) else {
                return false;
            };
            writer.duration(Duration { seconds, microseconds });
            true
        } else {
            false
        }
    }

    /// The `datetime` of a moment.
    ///
    /// # Errors
    /// What Python raises.
    pub(crate) fn moment<'py>(&self, py: Python<'py>, moment: &Moment<'_>) -> PyResult<Bound<'py, PyAny>> {
        let Moment { year, month, day, hour, minute, second, microsecond, zone } = *moment;
        let (offset, name) = match zone {
            Zone::Unknown => (None, ""),
            Zone::Offset(offset) => (Some(offset), ""),
            Zone::Named(offset, name) => (Some(offset), name),
        };
        let clock = (year, month, day, hour, minute, second, microsecond, offset, name);
        self.helper.bind(py).call_method1(intern!(py, "made"), clock)
    }

    /// The `timedelta` of a duration.
    ///
    /// # Errors
    /// What Python raises if it is too long.
    pub(crate) fn span<'py>(&self, py: Python<'py>, duration: Duration) -> PyResult<Bound<'py, PyAny>> {
        let Duration { seconds, microseconds } = duration;
        self.helper.bind(py).call_method1(intern!(py, "span"), (seconds, microseconds))
    }
}

/// Writes an `int`, and says whether it is within the limit.
pub(crate) fn write_big_integer(integer: &Bound<'_, PyAny>, writer: &mut Writer<'_>) -> bool {
    let Some((is_negative, magnitude)) = parts(integer).ok().flatten() else { return false };
    writer.big_integer(BigInteger { is_negative, magnitude: magnitude.as_bytes() });
    true
}

/// Whether an `int` is negative, and its magnitude; None if it is over the limit.
fn parts<'py>(integer: &Bound<'py, PyAny>) -> PyResult<Option<(bool, Bound<'py, PyBytes>)>> {
    let py = integer.py();
    let bits: usize = integer.call_method0(intern!(py, "bit_length"))?.extract()?;
    let bytes = bits.div_ceil(8).max(1);
    if bytes > MAX_INTEGER_BYTES {
        return Ok(None);
    }
    let magnitude =
        integer.call_method0(intern!(py, "__abs__"))?.call_method1(intern!(py, "to_bytes"), (bytes, "big"))?;
    Ok(Some((integer.lt(0)?, magnitude.cast_into()?)))
}

/// The `int` of an integer of any size.
///
/// # Errors
/// What Python raises if it is out of memory.
pub(crate) fn big_integer<'py>(py: Python<'py>, integer: BigInteger<'_>) -> PyResult<Bound<'py, PyAny>> {
    let magnitude = PyBytes::new(py, integer.magnitude);
    let size = py.get_type::<PyInt>().call_method1(intern!(py, "from_bytes"), (magnitude, "big"))?;
    if integer.is_negative { size.neg() } else { Ok(size) }
}
