//! The class of PHP code that a Python class extends: whether it can be extended, and what it asks of overrides.

use ext_php_rs::ffi::{ZEND_ACC_ENUM, ZEND_ACC_FINAL, ZEND_ACC_INTERFACE, ZEND_ACC_TRAIT, zend_class_entry};
use ext_php_rs::zend::ClassEntry;
use tortoise_protocol::description::ClassDescription;

use super::reflection::{ABSTRACT, FINAL, PRIVATE, PROTECTED, PUBLIC, Reflected};
use super::synthesized;
use crate::engine::{class_in_table, class_name, exception_is_pending, lower_case};
use crate::error::BridgeError;
use crate::proxy;
use crate::synthesis::{PhpAncestor, PhpProperty, Shapes, interface_method_names};

/// The PHP class of that name, which a Python class extends. PHP's autoloaders are asked for it.
///
/// # Errors
/// [`BridgeError::Access`] says why it cannot be extended.
pub(super) fn find(name: &str, description: &ClassDescription) -> Result<*mut zend_class_entry, BridgeError> {
    let found = ClassEntry::try_find(name);
    if exception_is_pending() {
        return Err(BridgeError::Pending);
    }
    let class = found.map(|class| std::ptr::from_ref(class).cast_mut()).filter(|class| !class.is_null());
    let obstacle = match class {
        _ if description.is_exception() => Some("a Python exception cannot have a PHP class beside it".to_owned()),
        Some(class) => obstacle_of(class),
        None => Some("PHP finds no class of that name".to_owned()),
    };
    match (class, obstacle) {
        (Some(class), None) => Ok(class),
        (_, obstacle) => Err(BridgeError::Access(format!(
            "{}.{} cannot extend the PHP class {name}: {}",
            description.module,
            description.qualified_name,
            obstacle.unwrap_or_default()
        ))),
    }
}

fn obstacle_of(class: *mut zend_class_entry) -> Option<String> {
    // SAFETY: a class that PHP found is linked and live.
    let (flags, create) = unsafe { ((*class).ce_flags, (*class).__bindgen_anon_2.create_object) };
    let obstacle = if flags & ZEND_ACC_INTERFACE != 0 {
        "it is an interface; extend a class that implements it"
    } else if flags & ZEND_ACC_TRAIT != 0 {
        "it is a trait; extend a class that uses it"
    } else if flags & ZEND_ACC_ENUM != 0 {
        "it is an enum"
    } else if flags & ZEND_ACC_FINAL != 0 {
        "it is final"
    } else if synthesized(class).is_some_and(|known| known.entry == class) {
        "it stands for a Python class; import that from its own module"
    } else if create.is_some_and(|create| !proxy::is_maker(create)) {
        "its objects have memory of PHP's own beside their properties (as those of ArrayObject, DateTime and all exceptions \
         do); hold such an object in an attribute instead"
    } else {
        return None;
    };
    Some(obstacle.to_owned())
}

/// Adds to `shapes` what the class of `description` must know of the PHP class that it extends, directly or not.
///
/// # Errors
/// [`BridgeError::Pending`].
pub(super) fn add_shapes(
    shapes: &mut Shapes,
    class: *mut zend_class_entry,
    description: &ClassDescription,
) -> Result<(), BridgeError> {
    // SAFETY: the class is live.
    let name = unsafe { class_name(class) }.into_owned();
    let reflected = Reflected::class(&name)?;
    let is_new = shapes.php.as_ref().is_none_or(|php| php.name != name);
    if is_new {
        for method in reflected.list("getmethods", Some(ABSTRACT))? {
            let shape = method.shape()?;
            shapes.insert(&shape.python_name.to_ascii_lowercase(), shape);
        }
    }
    let wanted = description.methods.iter().map(|method| method.name.as_str());
    for wanted in wanted.chain(["__construct"]).chain(interface_method_names()) {
        let lower_name = wanted.to_ascii_lowercase();
        if shapes.get(&lower_name).is_some() || !reflected.has("hasmethod", wanted)? {
            continue;
        }
        let method = Reflected::member("reflectionmethod", &name, wanted)?;
        // What is private there is no business of a child's, but for a constructor, which nothing else may replace.
        if method.modifiers()? & (PRIVATE | FINAL) != PRIVATE {
            shapes.insert(&lower_name, method.shape()?);
        }
    }
    shapes.php = Some(std::sync::Arc::new(PhpAncestor {
        is_readonly: reflected.is("isreadonly")?,
        is_iterator: reflected.has("implementsinterface", "Iterator")?,
        properties: properties(&reflected, &name, description)?,
        fixed_constants: fixed_constants(&reflected, &name, description)?,
        name,
    }));
    Ok(())
}

/// Those properties for which the Python class has a default. Not the static ones, nor those whose value PHP guards.
fn properties(class: &Reflected, name: &str, description: &ClassDescription) -> Result<Vec<PhpProperty>, BridgeError> {
    let mut properties = Vec::new();
    for wanted in &description.properties {
        if !class.has("hasproperty", &wanted.name)? {
            continue;
        }
        let property = Reflected::member("reflectionproperty", name, &wanted.name)?;
        let modifiers = property.modifiers()?;
        if matches!(modifiers, PUBLIC | PROTECTED) && !property.is("hashooks")? {
            properties.push(PhpProperty {
                name: wanted.name.clone(),
                is_protected: modifiers == PROTECTED,
                type_: property.type_("gettype", &property.declaring()?)?,
            });
        }
    }
    Ok(properties)
}

/// Constants that a child cannot declare anew, or only with a type.
fn fixed_constants(class: &Reflected, name: &str, description: &ClassDescription) -> Result<Vec<String>, BridgeError> {
    let mut fixed = Vec::new();
    for wanted in &description.constants {
        if class.has("hasconstant", &wanted.name)? {
            let constant = Reflected::member("reflectionclassconstant", name, &wanted.name)?;
            let modifiers = constant.modifiers()?;
            if modifiers & PRIVATE == 0 && (modifiers & FINAL != 0 || constant.is("hastype")?) {
                fixed.push(wanted.name.clone());
            }
        }
    }
    Ok(fixed)
}

/// A class's parent, by name.
pub(super) fn parent_name(class: &str) -> Option<String> {
    let class = class_in_table(&lower_case(class.as_bytes()))?;
    // SAFETY: a class with a method is linked, and its parent is a linked class or null.
    unsafe { (*class).__bindgen_anon_1.parent.as_ref().map(|parent| class_name(parent).into_owned()) }
}
