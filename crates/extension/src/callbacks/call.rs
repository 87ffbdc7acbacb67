//! Calls: of a method, of an object itself, of a function by its name.

use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{ZEND_ACC_PUBLIC, zend_class_entry, zend_fcall_info_cache, zend_lookup_class_ex};
use ext_php_rs::types::{ZendStr, Zval};
use tortoise_protocol::limits::MAX_NAME_BYTES;

use super::{modules, target, values, visible};
use crate::engine::{
    Key, Method, NewKey, NewString, NewTable, SUCCESS, View, call_function, callable, elements, make, object_init_ex,
    skip_destructor, view,
};
use crate::error::BridgeError;
use values::Decoder;

/// What stands before the name of a class of which an object is to be made.
const NEW: &str = "new ";

/// What a call is given.
pub(super) struct Given {
    list: ManuallyDrop<Zval>,
    named: ManuallyDrop<Zval>,
}

/// A call of a method, or of the object itself.
pub(super) struct Asked<'a> {
    target: Zval,
    name: &'a str,
    given: Given,
}

/// A call of a function by its name.
pub(super) struct AskedByName<'a> {
    name: &'a str,
    given: Given,
}

impl Given {
    pub(super) fn read(decoder: &mut Decoder<'_>) -> Result<Self, BridgeError> {
        let list = decoder.next_value()?;
        let named = decoder.next_value()?;
        decoder.reader.end()?;
        if list.is_array() && named.is_array() {
            return Ok(Self { list: ManuallyDrop::new(list), named: ManuallyDrop::new(named) });
        }
        Err(BridgeError::Connection("the session called PHP without a list of arguments".to_owned()))
    }

    /// Calls the function.
    ///
    /// # Safety
    /// As [`call_function`].
    pub(super) unsafe fn pass_to(self, function: zend_fcall_info_cache) -> Result<Zval, BridgeError> {
        // SAFETY: the caller's promise.
        let result = unsafe { call_function(function, &self.list, &self.named) };
        drop((ManuallyDrop::into_inner(self.list), ManuallyDrop::into_inner(self.named)));
        result.ok_or(BridgeError::Pending)
    }

    /// Makes an object of the class of that name.
    fn construct(self, name: &str) -> Result<Zval, BridgeError> {
        let class = class_of(name)?;
        let class =
            class.ok_or_else(|| BridgeError::Access(format!("there is no PHP class {}", modules::shorten(name))))?;
        let mut made = ManuallyDrop::new(Zval::new());
        // SAFETY: the class is live, and the slot holds nothing. The constructor is the object's class's own, and the object
        // is held.
        unsafe {
            if object_init_ex(&raw mut *made, class) != SUCCESS {
                return Err(BridgeError::Pending);
            }
            if let Some(constructor) = (*class).constructor.as_ref() {
                if constructor.common.fn_flags & ZEND_ACC_PUBLIC == 0 {
                    drop(ManuallyDrop::into_inner(made));
                    return Err(BridgeError::Access(format!(
                        "the constructor of the PHP class {} is not public",
                        modules::shorten(name)
                    )));
                }
                let object = made.value.obj;
                let outcome = self.pass_to(zend_fcall_info_cache {
                    function_handler: (*class).constructor,
                    calling_scope: class,
                    called_scope: class,
                    object,
                });
                if let Err(error) = outcome {
                    // As where `new` fails: what was not constructed is not destructed.
                    skip_destructor(object);
                    drop(ManuallyDrop::into_inner(made));
                    return Err(error);
                }
            }
        }
        Ok(ManuallyDrop::into_inner(made))
    }

    /// As `__call` is given it: the name, and all arguments in one array.
    pub(super) fn for_magic(self, name: &str) -> Result<Self, BridgeError> {
        let mut all = NewTable::map(0)?;
        for value in [&*self.list, &*self.named] {
            let View::Array(array) = view(value) else { continue };
            // SAFETY: nobody else has the array.
            for (key, value) in unsafe { elements(array) } {
                let key = match key {
                    Key::Index(index) => NewKey::Index(index),
                    Key::Name(name) => NewKey::Name(NewString::copy(name)?),
                };
                all.set(&key, |slot| Ok::<_, BridgeError>(slot.value(value.shallow_clone())))?;
            }
        }
        drop((ManuallyDrop::into_inner(self.list), ManuallyDrop::into_inner(self.named)));
        let mut list = NewTable::list(2)?;
        let name = NewString::copy(name.as_bytes())?;
        list.push(|slot| Ok::<_, BridgeError>(slot.string(name)))?;
        list.push(|slot| Ok::<_, BridgeError>(slot.table(all)))?;
        Ok(Self {
            list: ManuallyDrop::new(make(|slot| Ok::<_, BridgeError>(slot.table(list)))?),
            named: ManuallyDrop::new(make(|slot| Ok::<_, BridgeError>(slot.empty_array()))?),
        })
    }
}

impl<'a> Asked<'a> {
    pub(super) fn read(decoder: &mut Decoder<'a>) -> Result<Self, BridgeError> {
        let target = target(decoder.reader.unsigned("the id of a PHP object")?);
        let name = decoder.reader.text("the name of a PHP method", MAX_NAME_BYTES)?;
        Ok(Self { name, given: Given::read(decoder)?, target: target? })
    }

    pub(super) fn run(self) -> Result<Zval, BridgeError> {
        let (object, name) = (visible(&self.target)?, self.name);
        let class = || object.class_name();
        // SAFETY: the functions are of the object's class, and the object is held.
        unsafe {
            match object.method(name) {
                Method::Function(function) => self.given.pass_to(function),
                Method::Magic(function) => self.given.for_magic(name)?.pass_to(function),
                Method::Hidden => Err(BridgeError::Access(format!(
                    "the method {}::{name}() is not public: Python may call what any PHP code may",
                    class()
                ))),
                Method::Missing if name.is_empty() => {
                    Err(BridgeError::Type(format!("an object of the PHP class {} cannot be called", class())))
                }
                Method::Missing => {
                    Err(BridgeError::Access(format!("the PHP class {} has no method {name}()", class())))
                }
            }
        }
    }
}

impl<'a> AskedByName<'a> {
    pub(super) fn read(decoder: &mut Decoder<'a>) -> Result<Self, BridgeError> {
        let name = decoder.reader.text("the name of a PHP function", MAX_NAME_BYTES)?;
        Ok(Self { name, given: Given::read(decoder)? })
    }

    pub(super) fn run(self) -> Result<Zval, BridgeError> {
        if let Some(class) = self.name.strip_prefix(NEW) {
            return self.given.construct(class);
        }
        let missing = || {
            let name = modules::shorten(self.name);
            BridgeError::Access(format!("there is no PHP function {name}(), or none that is public"))
        };
        // These depend on who calls.
        let is_relative = self.name.split_once("::").is_some_and(|(class, _)| {
            ["self", "static", "parent"].iter().any(|relative| class.eq_ignore_ascii_case(relative))
        });
        let mut name = Zval::new();
        name.set_zend_string(ZendStr::new(self.name, false));
        let found = if is_relative { None } else { callable(&name) };
        let function = found.ok_or_else(missing)?;
        // SAFETY: what can be called is live; a class's functions say whether they are public.
        unsafe {
            let common = &(*function.function_handler).common;
            if !common.scope.is_null() && common.fn_flags & ZEND_ACC_PUBLIC == 0 {
                return Err(missing());
            }
            self.given.pass_to(function)
        }
    }
}

/// The PHP class of a name, which PHP's autoloaders are asked for.
pub(super) fn class_of(name: &str) -> Result<Option<*mut zend_class_entry>, BridgeError> {
    let mut name = ZendStr::new(name.strip_prefix('\\').unwrap_or(name), false);
    // SAFETY: the name is live, and the engine takes counts of its own.
    let class = unsafe { zend_lookup_class_ex(&raw mut *name, std::ptr::null_mut(), 0) };
    if crate::engine::exception_is_pending() {
        return Err(BridgeError::Pending);
    }
    Ok((!class.is_null()).then_some(class))
}
