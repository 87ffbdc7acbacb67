//! What a PHP object shows to those who are no class of PHP's: its public methods and properties, and what magic gives.

use std::ffi::c_int;
use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{
    IS_STRING, ZEND_ACC_ABSTRACT, ZEND_ACC_PRIVATE, ZEND_ACC_PUBLIC, ZEND_ACC_STATIC, ext_php_rs_executor_globals,
    zend_class_entry, zend_fcall_info_cache, zend_function, zend_hash_find, zend_hash_str_find, zend_object,
    zend_object_handlers, zend_property_info, zval,
};
use ext_php_rs::types::{ZendStr, Zval};

use super::reading::{borrowed, class_name, exception_is_pending, lower_case};
use super::{SUCCESS, zend_compare, zend_get_property_info};

/// The engine's `BP_VAR_R`, `ZEND_PROPERTY_ISSET` and `ZEND_PROPERTY_EXISTS`.
const READ: c_int = 0;
const ASK_SET: c_int = 0;
const ASK_EXISTS: c_int = 2;

/// What a name leads to.
pub(crate) enum Method {
    /// A function, and what it is called on.
    Function(zend_fcall_info_cache),
    /// `__call`, which is to be told the name.
    Magic(zend_fcall_info_cache),
    /// A method that is not public.
    Hidden,
    /// Nothing.
    Missing,
}

/// An object as it is seen from the outside. Every method can run PHP code, and leave an exception pending.
#[derive(Clone, Copy)]
pub(crate) struct Visible<'a> {
    object: &'a zend_object,
    /// A class that no class of PHP code's is related to: what it may see is public.
    stranger: *mut zend_class_entry,
}

impl<'a> Visible<'a> {
    /// The object as the class `stranger` sees it.
    pub(crate) const fn new(object: &'a zend_object, stranger: *mut zend_class_entry) -> Self {
        Self { object, stranger }
    }

    fn pointer(self) -> *mut zend_object {
        std::ptr::from_ref(self.object).cast_mut()
    }

    fn class(self) -> &'a zend_class_entry {
        // SAFETY: a live object's class is live.
        unsafe { &*self.object.ce }
    }

    fn handlers(self) -> &'a zend_object_handlers {
        // SAFETY: every object has handlers.
        unsafe { &*self.object.handlers }
    }

    /// The name of its class, for people.
    pub(crate) fn class_name(self) -> std::borrow::Cow<'a, str> {
        // SAFETY: as above.
        unsafe { class_name(self.object.ce) }
    }

    /// The method that a class has, which the object is one of, for whoever extends that class.
    pub(crate) fn method_of(self, class: *mut zend_class_entry, name: &str) -> Method {
        // SAFETY: the object's class and what that extends are live.
        let class = unsafe { &*class };
        match find_method(class, &lower_case(name.as_bytes())) {
            Some((function, flags)) if flags & (ZEND_ACC_PRIVATE | ZEND_ACC_ABSTRACT) == 0 => {
                Method::Function(self.call_of(function, flags & ZEND_ACC_STATIC != 0))
            }
            Some(_) => Method::Hidden,
            None if !class.__call.is_null() => Method::Magic(self.call_of(class.__call, false)),
            None => Method::Missing,
        }
    }

    /// Whether a class, which the object is one of, has the property for whoever extends that class. Static ones do not
    /// count.
    pub(crate) fn has_property_of(self, class: *mut zend_class_entry, name: &mut ZendStr) -> bool {
        // SAFETY: the object's class and what that extends are live, and so is what they tell of their properties.
        unsafe {
            let found = zend_hash_find(&raw const (*class).properties_info, name).as_ref();
            let property = found.and_then(|found| found.value.ptr.cast::<zend_property_info>().as_ref());
            property.is_some_and(|property| property.flags & (ZEND_ACC_PRIVATE | ZEND_ACC_STATIC) == 0)
        }
    }

    /// What is called as `$object->name()`; by an empty name, as `$object()`.
    pub(crate) fn method(self, name: &str) -> Method {
        let class = self.class();
        if name.is_empty() {
            return self.itself().map_or(Method::Missing, Method::Function);
        }
        let lower = lower_case(name.as_bytes());
        let found = find_method(class, &lower);
        let (found, flags) = (found.map(|(function, _)| function), found.map_or(0, |(_, flags)| flags));
        match found {
            Some(function) if flags & ZEND_ACC_PUBLIC != 0 && flags & ZEND_ACC_ABSTRACT == 0 => {
                Method::Function(self.call_of(function, flags & ZEND_ACC_STATIC != 0))
            }
            None if lower == b"__invoke" => self.itself().map_or(Method::Missing, Method::Function),
            _ if !class.__call.is_null() => Method::Magic(self.call_of(class.__call, false)),
            Some(_) => Method::Hidden,
            None => Method::Missing,
        }
    }

    fn call_of(self, function: *mut zend_function, is_static: bool) -> zend_fcall_info_cache {
        let object = if is_static { std::ptr::null_mut() } else { self.pointer() };
        zend_fcall_info_cache {
            function_handler: function,
            calling_scope: self.object.ce,
            called_scope: self.object.ce,
            object,
        }
    }

    /// The function that runs where the object itself is called.
    fn itself(self) -> Option<zend_fcall_info_cache> {
        let mut call = self.call_of(std::ptr::null_mut(), false);
        let get = self.handlers().get_closure?;
        // SAFETY: the object is live, and all others are places for the answer.
        let is_there = unsafe {
            get(self.pointer(), &raw mut call.called_scope, &raw mut call.function_handler, &raw mut call.object, false)
                == SUCCESS
        };
        is_there.then_some(call)
    }

    /// Runs `action` for a property as the stranger.
    fn as_stranger<R>(self, action: impl FnOnce() -> R) -> R {
        // SAFETY: the executor's globals are there as long as PHP is. If PHP jumps out, it sets the scope anew.
        unsafe {
            let globals = ext_php_rs_executor_globals();
            let outer = (*globals).fake_scope;
            (*globals).fake_scope = self.stranger;
            let result = action();
            (*globals).fake_scope = outer;
            result
        }
    }

    /// Whether there is such a property that is not public, for which the class has no such magic.
    fn hides(self, name: &mut ZendStr, magic: *mut zend_function) -> bool {
        if !magic.is_null() {
            return false;
        }
        // SAFETY: class and name are live.
        let info = self.as_stranger(|| unsafe { zend_get_property_info(self.object.ce, name, 1) });
        info.addr() == usize::MAX
    }

    /// `$object->name`. None: there is none.
    ///
    /// # Errors
    /// [`Hidden`].
    pub(crate) fn get(self, name: &mut ZendStr) -> Result<Option<Zval>, Hidden> {
        let class = self.class();
        if self.hides(name, class.__get) {
            return Err(Hidden);
        }
        let handlers = self.handlers();
        let (Some(has), Some(read)) = (handlers.has_property, handlers.read_property) else { return Ok(None) };
        let none = std::ptr::null_mut();
        // SAFETY: object and name are live. The value is the object's own, or one in the slot, whose count is then ours.
        self.as_stranger(|| unsafe {
            let is_there = has(self.pointer(), name, ASK_EXISTS, none) != 0;
            if exception_is_pending() || (!is_there && class.__get.is_null()) {
                return Ok(None);
            }
            let mut slot = ManuallyDrop::new(Zval::new());
            let value = read(self.pointer(), name, READ, none, &raw mut *slot);
            Ok(Some(taken(value, slot)))
        })
    }

    /// `$object->name = value`
    ///
    /// # Errors
    /// [`Hidden`].
    pub(crate) fn set(self, name: &mut ZendStr, value: &mut Zval) -> Result<(), Hidden> {
        if self.hides(name, self.class().__set) {
            return Err(Hidden);
        }
        if let Some(write) = self.handlers().write_property {
            // SAFETY: all are live; the engine takes a count of the value of its own.
            self.as_stranger(|| unsafe { write(self.pointer(), name, value, std::ptr::null_mut()) });
        }
        Ok(())
    }

    /// `isset($object->name)`
    pub(crate) fn has(self, name: &mut ZendStr) -> bool {
        let Some(has) = self.handlers().has_property else { return false };
        // SAFETY: object and name are live.
        self.as_stranger(|| unsafe { has(self.pointer(), name, ASK_SET, std::ptr::null_mut()) != 0 })
    }

    /// `unset($object->name)`
    ///
    /// # Errors
    /// [`Hidden`].
    pub(crate) fn delete(self, name: &mut ZendStr) -> Result<(), Hidden> {
        if self.hides(name, self.class().__unset) {
            return Err(Hidden);
        }
        if let Some(unset) = self.handlers().unset_property {
            // SAFETY: object and name are live.
            self.as_stranger(|| unsafe { unset(self.pointer(), name, std::ptr::null_mut()) });
        }
        Ok(())
    }

    /// `$object[key]`
    pub(crate) fn item(self, key: &mut Zval) -> Option<Zval> {
        let read = self.handlers().read_dimension?;
        let mut slot = ManuallyDrop::new(Zval::new());
        // SAFETY: as in `get`. Null: it threw.
        unsafe {
            let value = read(self.pointer(), key, READ, &raw mut *slot);
            (!value.is_null()).then(|| taken(value, slot))
        }
    }

    /// `$object[key] = value`, and `$object[] = value`
    pub(crate) fn set_item(self, key: Option<&mut Zval>, value: &mut Zval) {
        if let Some(write) = self.handlers().write_dimension {
            let key = key.map_or(std::ptr::null_mut(), std::ptr::from_mut);
            // SAFETY: all are live; the engine takes counts of its own.
            unsafe { write(self.pointer(), key, value) };
        }
    }

    /// `isset($object[key])`, without a look at the value.
    pub(crate) fn has_item(self, key: &mut Zval) -> bool {
        // SAFETY: all are live.
        self.handlers().has_dimension.is_some_and(|has| unsafe { has(self.pointer(), key, 0) != 0 })
    }

    /// `unset($object[key])`
    pub(crate) fn delete_item(self, key: &mut Zval) {
        if let Some(unset) = self.handlers().unset_dimension {
            // SAFETY: all are live.
            unsafe { unset(self.pointer(), key) };
        }
    }

    /// `(string) $object`. None: it has no text, or it threw.
    pub(crate) fn text(self) -> Option<Zval> {
        let cast = self.handlers().cast_object?;
        let mut text = ManuallyDrop::new(Zval::new());
        // SAFETY: the object is live, and the slot holds nothing.
        let has_one = unsafe { cast(self.pointer(), &raw mut *text, IS_STRING as c_int) == SUCCESS };
        has_one.then(|| ManuallyDrop::into_inner(text))
    }

    /// `$object == other`
    pub(crate) fn equals(self, other: &mut Zval) -> bool {
        let mut own = borrowed(self.object);
        // SAFETY: both are live.
        unsafe { zend_compare(&raw mut *own, other) == 0 }
    }
}

/// A method of a class by its lower-case name, and its flags.
fn find_method(class: &zend_class_entry, lower_name: &[u8]) -> Option<(*mut zend_function, u32)> {
    // SAFETY: the class's functions are keyed by lower-case names, and the table holds live functions.
    unsafe {
        let table = &raw const class.function_table;
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast(), lower_name.len()).as_ref()?;
        let function = found.value.func;
        Some((function, (*function).common.fn_flags))
    }
}

/// A property or an item, of which the slot may hold the value.
///
/// # Safety
/// `value` is live; if it is the slot's, its count is given away.
unsafe fn taken(value: *mut zval, mut slot: ManuallyDrop<Zval>) -> Zval {
    let is_own = std::ptr::eq(value, &raw const *slot);
    // SAFETY: the caller's promise.
    let copy = unsafe { (*value).dereference().shallow_clone() };
    if is_own {
        // SAFETY: it is dropped once, here.
        unsafe { ManuallyDrop::drop(&mut slot) };
    }
    copy
}

/// The property is there, and not public.
pub(crate) struct Hidden;
