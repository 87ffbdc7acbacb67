//! Asks the session what a class is, finds its parent and its name in PHP, and has it compiled.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tortoise_protocol::Malformed;
use tortoise_protocol::description::{ClassDescription, Described};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_BASES;
use tortoise_protocol::request::{Fingerprint, Selector, write_describe};

use super::{SynthesizedClass, compile, known, remember, survivor};
use crate::engine::{ask_php_for_class, class_in_table, exception_is_pending, lower_case};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::naming::{declarable_class_name, other_spellings};
use crate::synthesis::{self, Parent, Plan, Shapes, root_shapes_of_exception, root_shapes_of_object};

/// Where classes go that stand in no class root, and those whose name PHP has taken. No autoloader is asked for them.
const FOREIGN_NAMESPACE: &str = "Tortoise\\Python\\";

/// Descriptions kept over requests. A process that meets more classes forgets them all and learns them anew.
const MAX_KEPT: usize = 4096;

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::new(Kept::default());
}

/// What is worth keeping over requests.
#[derive(Default)]
struct Kept {
    /// The fingerprint of the class that a name stood for when it was last asked.
    by_name: HashMap<String, Fingerprint>,
    classes: HashMap<Fingerprint, KeptClass>,
}

/// A class whose description is known.
struct KeptClass {
    description: Rc<ClassDescription>,
    /// The plan, and the names of the class and of its parent for which it was made.
    plan: Option<(Rc<Plan>, String, String)>,
}

/// Declares a class and its parents, unless they are declared. PHP is known not to have a class `unknown_to_php`.
pub(super) fn declare(
    selector: Selector<'_>,
    unknown_to_php: Option<&str>,
) -> Result<Rc<SynthesizedClass>, BridgeError> {
    declare_within(selector, unknown_to_php, 0)
}

fn declare_within(
    selector: Selector<'_>,
    unknown_to_php: Option<&str>,
    depth: usize,
) -> Result<Rc<SynthesizedClass>, BridgeError> {
    if depth > MAX_BASES {
        return Err(BridgeError::from(Malformed::TooDeep));
    }
    let (described, generation) = describe(selector)?;
    if let Some(class) = known(described.class, generation) {
        return Ok(class);
    }
    if let Some(class) = survivor(&described.fingerprint, generation) {
        remember(&class, described.class, generation);
        return Ok(class);
    }
    let description = description_of(&described)?;
    if let Selector::Name(name) = selector {
        KEPT.with_borrow_mut(|kept| kept.by_name.insert(name.to_owned(), described.fingerprint));
    }
    let parent = match described.bases.first() {
        None => None,
        Some(base) => match known(*base, generation) {
            Some(parent) => Some(parent),
            None => Some(declare_within(Selector::Class(*base), None, depth + 1)?),
        },
    };
    // A parent of the other kind would make an exception that cannot be thrown, or an object that cannot be called.
    let parent = parent.filter(|parent| parent.is_exception == description.is_exception());
    let name = free_name(&description, unknown_to_php)?;
    // PHP's autoloaders may have been asked for the name, and may have used the class themselves.
    if let Some(class) = known(described.class, generation) {
        return Ok(class);
    }
    let plan = plan_for(&described.fingerprint, &description, &name, parent.as_deref());
    let entry = compile::compile(&name, &plan, &description)?;
    let class = Rc::new(SynthesizedClass {
        entry,
        name,
        python_name: format!("{}.{}", description.module, description.qualified_name),
        plan,
        fingerprint: described.fingerprint,
        asked_name: if let Selector::Name(name) = selector { Some(name.to_owned()) } else { None },
        id: std::cell::Cell::new((described.class, generation)),
        is_exception: description.is_exception(),
    });
    remember(&class, described.class, generation);
    declare_aliases(&class, &description, unknown_to_php)?;
    Ok(class)
}

/// The id that a new session gives to a class that an earlier one described. None if it runs another version of it.
pub(super) fn identify(name: &str, class: &Rc<SynthesizedClass>) -> Result<Option<(u64, u32)>, BridgeError> {
    let (described, generation) = describe(Selector::Name(name))?;
    if described.fingerprint != class.fingerprint {
        return Ok(None);
    }
    remember(class, described.class, generation);
    Ok(Some((described.class, generation)))
}

fn describe(selector: Selector<'_>) -> Result<(Described, u32), BridgeError> {
    let held = match selector {
        Selector::Name(name) => KEPT.with_borrow(|kept| {
            kept.by_name.get(name).copied().filter(|fingerprint| kept.classes.contains_key(fingerprint))
        }),
        Selector::Class(_) => None,
    };
    // A class id is the session's own: another session must not be asked for it.
    let session = match selector {
        Selector::Name(_) => Session::Any,
        Selector::Class(_) => Session::Of(link::generation()),
    };
    let reply = link::exchange(session, Kind::Describe, Kind::Described, |writer| {
        write_describe(writer, selector, held.as_ref());
        Ok(())
    })?;
    Ok((reply.judge(Described::read(reply.payload()))?, reply.generation))
}

/// The description that came, or the one that we hold.
fn description_of(described: &Described) -> Result<Rc<ClassDescription>, BridgeError> {
    KEPT.with_borrow_mut(|kept| {
        if kept.classes.len() >= MAX_KEPT {
            *kept = Kept::default();
        }
        if let Some(description) = &described.description {
            let description = Rc::new(description.clone());
            kept.classes.insert(described.fingerprint, KeptClass { description: Rc::clone(&description), plan: None });
            return Ok(description);
        }
        kept.classes
            .get(&described.fingerprint)
            .map(|class| Rc::clone(&class.description))
            .ok_or_else(|| BridgeError::Connection("the session left out a description that nobody holds".to_owned()))
    })
}

fn plan_for(
    fingerprint: &Fingerprint,
    description: &ClassDescription,
    name: &str,
    parent: Option<&SynthesizedClass>,
) -> Rc<Plan> {
    let roots: Shapes;
    let (parent_name, shapes) = match parent {
        Some(parent) => (parent.name.as_str(), &parent.plan.shapes),
        None if description.is_exception() => {
            roots = root_shapes_of_exception();
            ("Tortoise\\PythonException", &roots)
        }
        None => {
            roots = root_shapes_of_object();
            ("Tortoise\\PyObject", &roots)
        }
    };
    KEPT.with_borrow_mut(|kept| {
        let class = kept.classes.get_mut(fingerprint);
        if let Some((plan, for_name, for_parent)) = class.as_ref().and_then(|class| class.plan.as_ref())
            && for_name == name
            && for_parent == parent_name
        {
            return Rc::clone(plan);
        }
        let plan = Rc::new(synthesis::plan(description, name, &Parent { name: parent_name, shapes }));
        if let Some(class) = class {
            class.plan = Some((Rc::clone(&plan), name.to_owned(), parent_name.to_owned()));
        }
        plan
    })
}

/// Gives a class that has its name all other spellings of it: `catch` and `instanceof` ask no autoloader.
fn declare_aliases(
    class: &SynthesizedClass,
    description: &ClassDescription,
    unknown_to_php: Option<&str>,
) -> Result<(), BridgeError> {
    let Some(file) = description.file.as_ref().filter(|_| !description.shares_its_name()) else { return Ok(()) };
    if class.name != declarable_class_name(&description.name) {
        return Ok(());
    }
    for spelling in other_spellings(&description.name, file) {
        let spelling = declarable_class_name(&spelling);
        if !is_taken(&spelling, unknown_to_php)? {
            compile::alias(class.entry, &spelling);
        }
    }
    Ok(())
}

/// The name that the class asks for, or, if PHP has a class of that name, one below `Tortoise\Python`.
fn free_name(description: &ClassDescription, unknown_to_php: Option<&str>) -> Result<String, BridgeError> {
    let wanted = declarable_class_name(&description.name).into_owned();
    if !is_taken(&wanted, unknown_to_php)? {
        return Ok(wanted);
    }
    let module = description.module.replace('.', "\\");
    let short = description.name.rsplit('\\').next().unwrap_or(&description.name);
    let fallback = format!("{FOREIGN_NAMESPACE}{module}\\{short}");
    let is_name = fallback.split('\\').all(tortoise_protocol::description::is_identifier);
    let fallback = if is_name { declarable_class_name(&fallback).into_owned() } else { format!("{wanted}_") };
    let is_free = |name: &str| class_in_table(&lower_case(name.as_bytes())).is_none();
    if is_free(&fallback) {
        return Ok(fallback);
    }
    // Several Python classes may share a module and a name, when they are made inside of functions.
    let numbered = (2_u64..).map(|number| format!("{fallback}_{number}")).find(|name| is_free(name));
    Ok(numbered.unwrap_or(fallback))
}

/// Whether PHP has a class of that name. Its autoloaders are asked too, unless they cannot know the name.
fn is_taken(name: &str, unknown_to_php: Option<&str>) -> Result<bool, BridgeError> {
    let was_asked = unknown_to_php.is_some_and(|unknown| unknown.eq_ignore_ascii_case(name));
    if was_asked || name.starts_with(FOREIGN_NAMESPACE) {
        return Ok(class_in_table(&lower_case(name.as_bytes())).is_some());
    }
    let has = ask_php_for_class(name);
    if exception_is_pending() { Err(BridgeError::Pending) } else { Ok(has) }
}
