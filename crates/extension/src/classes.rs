//! The Python classes that PHP has declared in this request, and how a class becomes declared.

mod compile;
mod declare;
mod php_parent;
mod reflection;
mod shadows;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use ext_php_rs::ffi::zend_class_entry;
use tortoise_protocol::request::{Fingerprint, Selector};

use crate::engine::{class_in_table, class_name, declares, lower_case};
use crate::error::BridgeError;
use crate::link::{self, KnownIndex};
use crate::naming::{declarable_class_name, python_class_name};
use crate::native::{self, Native};
use crate::synthesis::{DeclaredMethod, Plan, Report, Undeclared};

pub(crate) use compile::{find_extension_slot, find_static_methods_by, method_of};

thread_local! {
    static CLASSES: RefCell<Classes> = RefCell::new(Classes::default());
    /// What [`generated_above`] last said, of which class and which scope.
    static LAST_ABOVE: Cell<(*mut zend_class_entry, *mut zend_class_entry, Option<*mut zend_class_entry>)> =
        const { Cell::new((std::ptr::null_mut(), std::ptr::null_mut(), None)) };
}

/// Classes of this request.
#[derive(Default)]
struct Classes {
    by_entry: HashMap<*mut zend_class_entry, Rc<SynthesizedClass>>,
    /// By the session's id, for [`Self::generation`] only.
    by_id: HashMap<u64, Rc<SynthesizedClass>>,
    generation: u32,
}

/// A PHP class that stands for a Python class.
pub(crate) struct SynthesizedClass {
    /// PHP's class.
    pub(crate) entry: *mut zend_class_entry,
    /// Its name in PHP.
    pub(crate) name: String,
    /// The class as Python names it: `module.Class`.
    pub(crate) python_name: String,
    /// What was compiled.
    pub(crate) plan: Rc<Plan>,
    /// Tells whether a session after a reconnection runs the same class.
    fingerprint: Fingerprint,
    /// The name that was asked for, to ask again; None for a class that came with an object.
    asked_name: Option<String>,
    /// The session's id of the class, and the session.
    id: Cell<(u64, u32)>,
    /// Whether it is an exception.
    is_exception: bool,
    /// The nearest class of PHP code that it extends, directly or not.
    php_parent: Option<*mut zend_class_entry>,
}

impl SynthesizedClass {
    /// Whether objects of `class`, which is this one or extends it, have a half in each language.
    pub(crate) fn has_two_halves(&self, class: *mut zend_class_entry) -> bool {
        !self.is_exception && (self.entry != class || self.php_parent.is_some())
    }
}

/// What a generated method finds in its own code: which method it is.
pub(crate) struct MethodOf {
    class: Rc<Plan>,
    index: usize,
    /// The index by which the session knows its name.
    pub(crate) known_index: KnownIndex,
}

impl MethodOf {
    /// The method.
    pub(crate) fn method(&self) -> &DeclaredMethod {
        &self.class.methods[self.index]
    }
}

/// The PHP class of a name that has a class file, declared now if need be.
///
/// `php_was_asked` says that PHP's autoloaders do not know the name.
///
/// # Errors
/// [`BridgeError`]: the file is broken, or the sidecar is, or the sidecar does not serve the file.
pub(crate) fn load(name: &str, php_was_asked: bool) -> Result<*mut zend_class_entry, BridgeError> {
    let declarable = declarable_class_name(name);
    let is_reserved = declarable != name;
    if is_reserved {
        // PHP cannot have the alias, so every use of the bare name comes here.
        let declared = class_in_table(&lower_case(declarable.as_bytes()));
        if let Some(class) = declared.filter(|class| synthesized(*class).is_some()) {
            return Ok(class);
        }
    }
    link::announce_roots()?;
    let unknown_to_php = php_was_asked.then_some(name);
    let class = declare::declare(Selector::Name(&python_class_name(name)), unknown_to_php)?.entry;
    if is_reserved {
        return Ok(class);
    }
    Ok(class_in_table(&lower_case(name.as_bytes())).unwrap_or_else(|| {
        compile::alias(class, name);
        class
    }))
}

/// The PHP class for an object of the class `id`, and whether its objects have a half in each language.
pub(crate) fn class_of_value(id: u64, generation: u32) -> Result<(*mut zend_class_entry, bool), BridgeError> {
    if let Some(class) = shadows::find(id, generation) {
        return Ok((class, true));
    }
    let class = by_id(id, generation)?;
    // A PHP exception is no proxy. As a value a Python exception is a plain object.
    let entry = if class.is_exception { native::class(Native::PyObject) } else { class.entry };
    Ok((entry, class.has_two_halves(entry)))
}

/// The PHP class to throw for an exception of the class `id`.
pub(crate) fn class_of_exception(id: u64, generation: u32) -> Result<*mut zend_class_entry, BridgeError> {
    let class = by_id(id, generation)?;
    Ok(if class.is_exception { class.entry } else { native::class(Native::PythonException) })
}

fn by_id(id: u64, generation: u32) -> Result<Rc<SynthesizedClass>, BridgeError> {
    if let Some(class) = known(id, generation) {
        return Ok(class);
    }
    declare::declare(Selector::Class(id), None)
}

/// A class of an earlier session that is the same in this one, where nobody has met it yet.
fn survivor(fingerprint: &Fingerprint, generation: u32) -> Option<Rc<SynthesizedClass>> {
    CLASSES.with_borrow(|classes| {
        let survives =
            |class: &&Rc<SynthesizedClass>| class.fingerprint == *fingerprint && class.id.get().1 != generation;
        classes.by_entry.values().find(survives).map(Rc::clone)
    })
}

/// A class of the session that PHP has declared.
fn known(id: u64, generation: u32) -> Option<Rc<SynthesizedClass>> {
    CLASSES.with_borrow(
        |classes| {
            if classes.generation == generation { classes.by_id.get(&id).map(Rc::clone) } else { None }
        },
    )
}

fn remember(class: &Rc<SynthesizedClass>, id: u64, generation: u32) {
    class.id.set((id, generation));
    LAST_ABOVE.set((std::ptr::null_mut(), std::ptr::null_mut(), None));
    CLASSES.with_borrow_mut(|classes| {
        if classes.generation != generation {
            classes.by_id.clear();
            classes.generation = generation;
        }
        classes.by_id.insert(id, Rc::clone(class));
        classes.by_entry.insert(class.entry, Rc::clone(class));
    });
}

/// The synthesized class that `class` is or extends.
pub(crate) fn synthesized(class: *mut zend_class_entry) -> Option<Rc<SynthesizedClass>> {
    CLASSES.with_borrow(|classes| ancestors(class).find_map(|class| classes.by_entry.get(&class).map(Rc::clone)))
}

/// The nearest class of PHP code that the Python class extends which `class` is or extends.
pub(crate) fn php_ancestor(class: *mut zend_class_entry) -> Option<*mut zend_class_entry> {
    synthesized(class).and_then(|class| class.php_parent)
}

/// Whether objects of the class have a half in each language.
pub(crate) fn has_two_halves(class: *mut zend_class_entry) -> bool {
    synthesized(class).is_some_and(|found| found.has_two_halves(class))
}

/// The generated class from which Python must go on to look, where a generated method of the class `scope` runs for an
/// object of `class`: the one above the highest class of PHP code between the two. None if there is none of those: Python
/// can look for the method in the object's own class then.
#[inline(always)]
pub(crate) fn generated_above(
    class: *mut zend_class_entry,
    scope: *mut zend_class_entry,
) -> Option<*mut zend_class_entry> {
    if class == scope { None } else { generated_above_other(class, scope) }
}

#[inline(never)]
fn generated_above_other(class: *mut zend_class_entry, scope: *mut zend_class_entry) -> Option<*mut zend_class_entry> {
    let (last_class, last_scope, last) = LAST_ABOVE.get();
    if (last_class, last_scope) == (class, scope) {
        return last;
    }
    let found = find_generated_above(class, scope);
    LAST_ABOVE.set((class, scope, found));
    found
}

fn find_generated_above(class: *mut zend_class_entry, scope: *mut zend_class_entry) -> Option<*mut zend_class_entry> {
    CLASSES.with_borrow(|classes| {
        if classes.by_entry.get(&scope)?.is_exception {
            return None;
        }
        // The object of code that runs may have nothing to do with the class.
        ancestors(class).find(|class| *class == scope)?;
        let of_php = |class: &*mut zend_class_entry| !classes.by_entry.contains_key(class);
        let highest = ancestors(class).take_while(|class| *class != scope).filter(of_php).last()?;
        // SAFETY: a linked class that extends another has a live parent.
        Some(unsafe { (*highest).__bindgen_anon_1.parent })
    })
}

/// Whether Python has the class too: it stands for one of Python's, or there is one that stands for it.
pub(crate) fn is_python(class: *mut zend_class_entry) -> bool {
    synthesized(class).is_some_and(|found| found.entry == class || !found.is_exception)
}

/// The highest of the synthesized classes that `class` is or extends.
pub(crate) fn highest_synthesized(class: *mut zend_class_entry) -> Option<*mut zend_class_entry> {
    CLASSES.with_borrow(|classes| ancestors(class).filter(|class| classes.by_entry.contains_key(class)).last())
}

/// The class that `class` is or extends which a session names so, if it may be one without a name of its own.
pub(crate) fn ancestor_of_name(class: *mut zend_class_entry, name: &str) -> Option<*mut zend_class_entry> {
    // SAFETY: a linked class and its parents are live.
    ancestors(class).find(|class| unsafe { class_name(*class) }.eq_ignore_ascii_case(name))
}

/// The class's Python method of exactly this name, if PHP cannot declare it because it has another of a like name.
pub(crate) fn undeclared(class: *mut zend_class_entry, name: &str) -> Option<Undeclared> {
    CLASSES.with_borrow(|classes| {
        let mut ancestors = ancestors(class);
        let found = ancestors.find_map(|ancestor| {
            let undeclared = &classes.by_entry.get(&ancestor)?.plan.undeclared;
            undeclared.iter().find(|method| method.name == name).map(|method| (ancestor, method))
        });
        // A descendant that declares it after all, in Python or in PHP, comes first.
        found
            .filter(|(owner, _)| {
                self::ancestors(class).take_while(|heir| heir != owner).all(|heir| {
                    // SAFETY: a linked class's parents are live.
                    unsafe { !declares(heir, name) }
                })
            })
            .map(|(_, method)| method.clone())
    })
}

/// The class and its parents.
fn ancestors(class: *mut zend_class_entry) -> impl Iterator<Item = *mut zend_class_entry> {
    let known = |class: *mut zend_class_entry| (!class.is_null()).then_some(class);
    // SAFETY: a linked class's parent is a linked class or null.
    std::iter::successors(known(class), move |class| known(unsafe { (**class).__bindgen_anon_1.parent }))
}

/// The Python class object that stands behind a PHP class: its id, and the session that knows it.
///
/// # Errors
/// [`BridgeError::Stale`] if the session was replaced by one that runs another version of the class.
pub(crate) fn target_of(class: *mut zend_class_entry) -> Result<(u64, u32), BridgeError> {
    let found = synthesized(class).ok_or_else(|| not_python(class))?;
    target_of_found(class, &found)
}

/// As [`target_of`], and whether objects of the class have a half in each language.
///
/// # Errors
/// As [`target_of`].
pub(crate) fn target_to_construct(class: *mut zend_class_entry) -> Result<((u64, u32), bool), BridgeError> {
    let found = synthesized(class).ok_or_else(|| not_python(class))?;
    Ok((target_of_found(class, &found)?, found.has_two_halves(class)))
}

#[cold]
fn not_python(class: *mut zend_class_entry) -> BridgeError {
    // SAFETY: the engine passes a live class.
    BridgeError::Access(format!("{} is not a Python class", unsafe { class_name(class) }))
}

fn target_of_found(class: *mut zend_class_entry, found: &Rc<SynthesizedClass>) -> Result<(u64, u32), BridgeError> {
    // There is no Python class for the PHP classes below an exception: their Python exception is one of the class above.
    if found.entry != class && !found.is_exception {
        return shadows::id_of(class);
    }
    let (id, generation) = found.id.get();
    if generation == link::generation() {
        return Ok((id, generation));
    }
    let again = match &found.asked_name {
        Some(name) => {
            link::announce_roots()?;
            declare::identify(name, found)?
        }
        None => None,
    };
    again.ok_or_else(|| {
        BridgeError::Stale(format!(
            "the Python session of class {} is gone, and the new one does not run the same class; it is there again \
             with the next request",
            found.name
        ))
    })
}

/// Forgets everything, when nothing of the request can run any more.
pub(crate) fn forget_all() {
    CLASSES.with_borrow_mut(|classes| *classes = Classes::default());
    LAST_ABOVE.set((std::ptr::null_mut(), std::ptr::null_mut(), None));
    shadows::forget_all();
    compile::forget_methods();
}

/// How many classes are declared, and what PHP shows of them otherwise than Python.
pub(crate) fn report() -> (usize, Report) {
    CLASSES.with_borrow(|classes| {
        let mut total = Report::default();
        for class in classes.by_entry.values() {
            total += class.plan.report;
        }
        (classes.by_entry.len(), total)
    })
}
