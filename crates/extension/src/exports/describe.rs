//! A PHP class as Python needs to know it.

use std::borrow::Cow;

use ext_php_rs::ffi::{
    ZEND_ACC_ABSTRACT, ZEND_ACC_ENUM, ZEND_ACC_FINAL, ZEND_ACC_IMPLICIT_ABSTRACT_CLASS, ZEND_ACC_INTERFACE,
    ZEND_ACC_PRIVATE, ZEND_ACC_PROTECTED, ZEND_ACC_STATIC, ZEND_ACC_TRAIT, instanceof_function_slow,
    zend_ce_arrayaccess, zend_ce_countable, zend_ce_stringable, zend_ce_throwable, zend_ce_traversable,
    zend_class_entry, zend_hash_str_find, zend_property_info,
};
use tortoise_protocol::codec::PhpTraits;
use tortoise_protocol::limits::{MAX_METHODS, MAX_NAME_BYTES, MAX_PHP_PARENTS};
use tortoise_protocol::php_class::{
    CLASS_ABSTRACT, CLASS_FINAL, CLASS_NATIVE, CLASS_NO_PARENT, MEMBER_ABSTRACT, MEMBER_FINAL, MEMBER_PROTECTED,
    MEMBER_STATIC, Members, PhpClass,
};

use crate::engine::{Key, bytes_of, class_name, elements, is_closure};
use crate::proxy;

/// A class as bytes, and what its objects can do.
///
/// # Safety
/// The class is live.
pub(super) unsafe fn class(class: &zend_class_entry) -> (Vec<u8>, PhpTraits) {
    // SAFETY: the caller's promise, which holds for a class's parents and interfaces too.
    let (name, parents) = unsafe { (class_name(class), parents(class)) };
    let description = PhpClass {
        name: cut(&name),
        flags: class_flags(class),
        parents: parents.iter().map(|name| cut(name)).collect(),
        // SAFETY: as above.
        methods: unsafe { methods(class, None) },
        // SAFETY: as above.
        properties: unsafe { properties(class, None) },
    };
    let mut bytes = Vec::new();
    description.write(&mut bytes);
    // SAFETY: as above.
    (bytes, unsafe { traits(class) })
}

/// What a class declares itself: methods, and properties that are not static. Private ones are left out.
///
/// # Safety
/// The class is live, and stays so while the result is used.
pub(crate) unsafe fn own_members(class: &zend_class_entry) -> (Members<'_>, Members<'_>) {
    // SAFETY: the caller's promise.
    unsafe { (methods(class, Some(class)), properties(class, Some(class))) }
}

/// The class of the iterators of `foreach`, of which no PHP code sees an object.
pub(super) fn iterator() -> (Vec<u8>, PhpTraits) {
    let mut bytes = Vec::new();
    let (methods, properties) = Default::default();
    PhpClass { name: "__iterator_wrapper", flags: CLASS_FINAL, parents: Vec::new(), methods, properties }
        .write(&mut bytes);
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

/// Methods that are public or protected, as they were declared; only those that the class `by` declares, if there is one.
unsafe fn methods<'a>(class: &'a zend_class_entry, by: Option<&zend_class_entry>) -> Members<'a> {
    // SAFETY: the elements of a class's table of functions are pointers to functions, which have names.
    members(unsafe { elements(&class.function_table) }.filter_map(|(_, value)| unsafe {
        let function = &(*value.value.func).common;
        let is_meant = by.is_none_or(|by| std::ptr::eq(function.scope, by));
        is_meant.then(|| (bytes_of(function.function_name), function.fn_flags))
    }))
}

/// Properties that are public or protected, and not static; of the class `by` as in [`methods`].
unsafe fn properties<'a>(class: &'a zend_class_entry, by: Option<&zend_class_entry>) -> Members<'a> {
    // SAFETY: the elements of a class's table of properties are pointers to what the engine knows of them, by their names.
    members(unsafe { elements(&class.properties_info) }.filter_map(|(key, value)| unsafe {
        let property = &*value.value.ptr.cast::<zend_property_info>();
        match key {
            Key::Name(name)
                if property.flags & ZEND_ACC_STATIC == 0 && by.is_none_or(|by| std::ptr::eq(property.ce, by)) =>
            {
                Some((name, property.flags & (ZEND_ACC_PRIVATE | ZEND_ACC_PROTECTED)))
            }
            _ => None,
        }
    }))
}

fn members<'a>(all: impl Iterator<Item = (&'a [u8], u32)>) -> Members<'a> {
    let bits = [
        (ZEND_ACC_STATIC, MEMBER_STATIC),
        (ZEND_ACC_ABSTRACT, MEMBER_ABSTRACT),
        (ZEND_ACC_PROTECTED, MEMBER_PROTECTED),
        (ZEND_ACC_FINAL, MEMBER_FINAL),
    ];
    let sendable = all.filter_map(|(name, flags)| {
        let name = std::str::from_utf8(name).ok()?;
        let is_sendable = flags & ZEND_ACC_PRIVATE == 0 && name.len() <= MAX_NAME_BYTES && !name.contains('\0');
        is_sendable.then(|| (name, told(flags, &bits)))
    });
    Members(sendable.take(MAX_METHODS).collect())
}

/// What keeps a class from being extended.
fn class_flags(class: &zend_class_entry) -> u8 {
    let bits = [
        (ZEND_ACC_ABSTRACT | ZEND_ACC_IMPLICIT_ABSTRACT_CLASS | ZEND_ACC_INTERFACE, CLASS_ABSTRACT),
        (ZEND_ACC_FINAL, CLASS_FINAL),
        (ZEND_ACC_INTERFACE | ZEND_ACC_TRAIT | ZEND_ACC_ENUM, CLASS_NO_PARENT),
    ];
    // SAFETY: the union's other member is an interface's, which makes no objects.
    let create = unsafe { class.__bindgen_anon_2.create_object }.filter(|_| class.ce_flags & ZEND_ACC_INTERFACE == 0);
    told(class.ce_flags, &bits) | if create.is_some_and(|create| !proxy::is_maker(create)) { CLASS_NATIVE } else { 0 }
}

/// The wire's bits for the engine's.
fn told(flags: u32, bits: &[(u32, u8)]) -> u8 {
    bits.iter().filter(|(engine, _)| flags & engine != 0).fold(0, |told, (_, wire)| told | wire)
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
