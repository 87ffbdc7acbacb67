//! A PHP class as Python needs to know it.

use std::borrow::Cow;

use ext_php_rs::ffi::{
    ZEND_ACC_PUBLIC, instanceof_function_slow, zend_ce_arrayaccess, zend_ce_countable, zend_ce_stringable,
    zend_ce_throwable, zend_ce_traversable, zend_class_entry, zend_hash_str_find,
};
use tortoise_protocol::codec::PhpTraits;
use tortoise_protocol::limits::{MAX_METHODS, MAX_NAME_BYTES, MAX_PHP_PARENTS};
use tortoise_protocol::php_class::PhpClass;

use crate::engine::{bytes_of, class_name, elements, is_closure};

/// A class as bytes, and what its objects can do.
///
/// # Safety
/// The class is live.
pub(super) unsafe fn class(class: &zend_class_entry) -> (Vec<u8>, PhpTraits) {
    // SAFETY: the caller's promise, which holds for a class's parents and interfaces too.
    let (name, parents, methods) = unsafe { (class_name(class), parents(class), methods(class)) };
    let description = PhpClass {
        name: cut(&name),
        parents: parents.iter().map(|name| cut(name)).collect(),
        methods: methods.iter().map(AsRef::as_ref).collect(),
    };
    let mut bytes = Vec::new();
    description.write(&mut bytes);
    // SAFETY: as above.
    (bytes, unsafe { traits(class) })
}

/// The class of the iterators of `foreach`, of which no PHP code sees an object.
pub(super) fn iterator() -> (Vec<u8>, PhpTraits) {
    let mut bytes = Vec::new();
    PhpClass { name: "__iterator_wrapper", parents: Vec::new(), methods: Vec::new() }.write(&mut bytes);
    (bytes, PhpTraits::default())
}

/// The beginning of a name that is longer than the wire's.
fn cut(name: &str) -> &str {
    let end = (0..=MAX_NAME_BYTES.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}

/// Parents, the nearest first, then all interfaces.
unsafe fn parents(class: &zend_class_entry) -> Vec<Cow<'_, str>> {
    let mut names = Vec::new();
    // SAFETY: a linked class has a live parent, or none, and as many interfaces as it says.
    unsafe {
        let mut parent = class.__bindgen_anon_1.parent;
        while !parent.is_null() {
            names.push(class_name(parent));
            parent = (*parent).__bindgen_anon_1.parent;
        }
        let interfaces = class.__bindgen_anon_3.interfaces;
        for at in 0..class.num_interfaces as usize {
            names.push(class_name(*interfaces.add(at)));
        }
    }
    names.truncate(MAX_PHP_PARENTS);
    names
}

/// Public methods, as they were declared.
unsafe fn methods(class: &zend_class_entry) -> Vec<Cow<'_, str>> {
    // SAFETY: the elements of a class's table of functions are pointers to functions, which have names.
    let names = unsafe { elements(&class.function_table) }.filter_map(|(_, value)| unsafe {
        let function = &(*value.value.func).common;
        let is_public = function.fn_flags & ZEND_ACC_PUBLIC != 0;
        std::str::from_utf8(bytes_of(function.function_name)).ok().filter(|_| is_public)
    });
    let is_sendable = |name: &&str| name.len() <= MAX_NAME_BYTES && !name.contains('\0');
    names.filter(is_sendable).map(Cow::Borrowed).take(MAX_METHODS).collect()
}

/// What objects of the class can do.
unsafe fn traits(class: &zend_class_entry) -> PhpTraits {
    let pointer = std::ptr::from_ref(class);
    // SAFETY: all classes are live: the engine's own are there from its start.
    unsafe {
        let is_a =
            |other: *mut zend_class_entry| std::ptr::eq(pointer, other) || instanceof_function_slow(pointer, other);
        let functions = &raw const class.function_table;
        let has = |name: &str| !zend_hash_str_find(functions, name.as_ptr().cast(), name.len()).is_null();
        let all = [
            (is_closure(class) || has("__invoke"), PhpTraits::CALLABLE),
            (is_a(zend_ce_countable), PhpTraits::COUNTABLE),
            (is_a(zend_ce_arrayaccess), PhpTraits::ARRAY_ACCESS),
            (is_a(zend_ce_traversable), PhpTraits::TRAVERSABLE),
            (is_a(zend_ce_stringable), PhpTraits::STRINGABLE),
            (is_a(zend_ce_throwable), PhpTraits::THROWABLE),
            (is_closure(class), PhpTraits::CLOSURE),
            (!class.__call.is_null(), PhpTraits::MAGIC_CALL),
        ];
        all.into_iter().filter(|(has, _)| *has).fold(PhpTraits::default(), |traits, (_, more)| traits.with(more))
    }
}
