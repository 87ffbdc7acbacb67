//! A place that waits for a value: it can be written once, and whoever gives it out knows that it was.

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

use ext_php_rs::ffi::{
    _zval_struct__bindgen_ty_1, _zval_struct__bindgen_ty_2, IS_ARRAY, IS_ARRAY_EX, IS_DOUBLE, IS_FALSE,
    IS_INTERNED_STRING_EX, IS_LONG, IS_NULL, IS_STRING_EX, IS_TRUE, zend_empty_array, zend_value,
};
use ext_php_rs::types::Zval;

use super::string::NewString;
use super::table::NewTable;

/// A place for a value. What stood in it is overwritten, not freed.
#[derive(Debug)]
pub(crate) struct Slot<'s>(&'s mut MaybeUninit<Zval>, Brand<'s>);

/// Says that the slot of the same lifetime holds a value now.
#[derive(Debug)]
pub(crate) struct Written<'s>(Brand<'s>);

/// Ties a [`Written`] to one slot: the lifetime can be neither longer nor shorter.
type Brand<'s> = PhantomData<fn(&'s ()) -> &'s ()>;

/// Makes a value by writing it into a slot.
///
/// # Errors
/// What `write` gives.
pub(crate) fn make<E>(write: impl for<'s> FnOnce(Slot<'s>) -> Result<Written<'s>, E>) -> Result<Zval, E> {
    let mut place = MaybeUninit::new(Zval::new());
    write(Slot(&mut place, PhantomData))?;
    // SAFETY: `write` can have the word of no other slot.
    Ok(unsafe { place.assume_init() })
}

/// Lets `write` fill `place`.
pub(super) fn fill<E>(
    place: &mut MaybeUninit<Zval>,
    write: impl for<'s> FnOnce(Slot<'s>) -> Result<Written<'s>, E>,
) -> Result<(), E> {
    write(Slot(place, PhantomData)).map(drop)
}

/// A value that owns nothing.
pub(super) const fn plain(value: zend_value, type_info: u32) -> Zval {
    Zval { value, u1: _zval_struct__bindgen_ty_1 { type_info }, u2: _zval_struct__bindgen_ty_2 { next: 0 } }
}

impl<'s> Slot<'s> {
    fn put(self, value: zend_value, type_info: u32) -> Written<'s> {
        self.value(plain(value, type_info))
    }

    /// Writes null.
    pub(crate) fn null(self) -> Written<'s> {
        self.put(zend_value { lval: 0 }, IS_NULL)
    }

    /// Writes a truth value.
    pub(crate) fn boolean(self, truth: bool) -> Written<'s> {
        self.put(zend_value { lval: 0 }, if truth { IS_TRUE } else { IS_FALSE })
    }

    /// Writes an integer.
    pub(crate) fn integer(self, number: i64) -> Written<'s> {
        self.put(zend_value { lval: number }, IS_LONG)
    }

    /// Writes a float.
    pub(crate) fn float(self, number: f64) -> Written<'s> {
        self.put(zend_value { dval: number }, IS_DOUBLE)
    }

    /// Writes a string.
    pub(crate) fn string(self, string: NewString) -> Written<'s> {
        let kind = if string.is_interned() { IS_INTERNED_STRING_EX } else { IS_STRING_EX };
        self.put(zend_value { str_: string.into_raw() }, kind)
    }

    /// Writes an array.
    pub(crate) fn table(self, table: NewTable) -> Written<'s> {
        self.put(zend_value { arr: table.into_raw() }, IS_ARRAY_EX)
    }

    /// Writes the array without elements, which all share.
    pub(crate) fn empty_array(self) -> Written<'s> {
        // Nobody writes to an array that is not counted.
        self.put(zend_value { arr: (&raw const zend_empty_array).cast_mut() }, IS_ARRAY)
    }

    /// Writes a value that there is already.
    ///
    /// What the engine keeps in the last word stays: in an array with keys it is the chain of those with like hashes.
    pub(crate) fn value(self, value: Zval) -> Written<'s> {
        let place = self.0.as_mut_ptr();
        let value = ManuallyDrop::new(value);
        // SAFETY: the place is one for a value; plain writes into parts of it read and drop nothing.
        unsafe {
            (&raw mut (*place).value).write(value.value);
            (&raw mut (*place).u1).write(value.u1);
        }
        Written(PhantomData)
    }
}
