//! Compiles the source of a class and finishes what source cannot say: docblocks, lines, and which method is which.

use std::cell::RefCell;
use std::ffi::CString;
use std::rc::Rc;
use std::sync::OnceLock;

use ext_php_rs::ffi::{_zend_op, zend_class_entry, zend_function, zend_hash_str_find, zend_op_array, zend_string};
use ext_php_rs::types::ZendStr;
use tortoise_protocol::description::ClassDescription;

use super::MethodOf;
use crate::engine::{
    class_in_table, exception_is_pending, lower_case, zend_eval_stringl, zend_get_resource_handle,
    zend_register_class_alias_ex, zend_vm_set_opcode_handler,
};
use crate::error::BridgeError;
use crate::link::KnownIndex;
use crate::native::{self, Native};
use crate::proxy;
use crate::synthesis::{Plan, Protocol};

/// The engine's `ZEND_RECV`: takes a required argument, or throws.
const RECEIVE: u8 = 63;
/// The engine's `ZEND_NOP`.
const NOTHING: u8 = 0;

/// How the engine looks for a static method of a class: its `get_static_method`.
pub(crate) type StaticMethods =
    unsafe extern "C" fn(class: *mut zend_class_entry, name: *mut zend_string) -> *mut zend_function;

/// Who finds static methods that classes do not declare.
static STATIC_METHODS: OnceLock<StaticMethods> = OnceLock::new();

/// Lets `lookup` find the static methods of all classes, when the module starts.
pub(crate) fn find_static_methods_by(lookup: StaticMethods) {
    STATIC_METHODS.get_or_init(|| lookup);
}

/// The place in every function's code that is ours.
static SLOT: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// What the code of this request's methods points to.
    static METHODS: RefCell<Vec<Rc<MethodOf>>> = const { RefCell::new(Vec::new()) };
}

/// Reserves our place in functions' code, when the module starts.
pub(crate) fn find_extension_slot() -> Result<(), &'static str> {
    // SAFETY: the engine hands out places when modules start.
    let slot = unsafe { zend_get_resource_handle(c"tortoise".as_ptr()) };
    // The engine gives -1 when all places are taken by other extensions.
    let slot = usize::try_from(slot).map_err(|_| "other extensions have taken all places in functions' code")?;
    SLOT.get_or_init(|| slot);
    Ok(())
}

/// The method whose generated code `function` is.
pub(crate) fn method_of(function: &zend_op_array) -> Option<&MethodOf> {
    let slot = *SLOT.get()?;
    // SAFETY: our place holds null or a method that `finish_method` put there, which lives until the request is over.
    unsafe { function.reserved[slot].cast::<MethodOf>().as_ref() }
}

/// Forgets what methods point to, when none can run any more.
pub(super) fn forget_methods() {
    METHODS.with_borrow_mut(Vec::clear);
}

/// Declares the class.
pub(super) fn compile(
    name: &str,
    plan: &Rc<Plan>,
    description: &ClassDescription,
    extends_php: bool,
) -> Result<*mut zend_class_entry, BridgeError> {
    let shown_file = match &description.file {
        Some(file) => file.clone(),
        None => format!("Python class {}.{}", description.module, description.qualified_name),
    };
    let shown_file = CString::new(shown_file.replace('\0', "")).unwrap_or_default();
    let source = plan.source.as_bytes();
    // SAFETY: the engine copies `length` bytes of the source, and the file name to its NUL.
    unsafe { zend_eval_stringl(source.as_ptr().cast(), source.len(), std::ptr::null_mut(), shown_file.as_ptr()) };
    if exception_is_pending() {
        return Err(BridgeError::Pending);
    }
    let class = class_in_table(&lower_case(name.as_bytes()))
        .ok_or_else(|| BridgeError::Internal(format!("class {name} was compiled and is not there")))?;
    finish(class, plan, description);
    if extends_php {
        proxy::adopt(class);
    }
    Ok(class)
}

/// Gives a class another name.
pub(super) fn alias(class: *mut zend_class_entry, name: &str) {
    // SAFETY: the class is declared, and the name is one that PHP can declare; the engine copies it.
    unsafe { zend_register_class_alias_ex(name.as_ptr().cast(), name.len(), class, false) };
}

fn finish(class: *mut zend_class_entry, plan: &Rc<Plan>, description: &ClassDescription) {
    // SAFETY: the class was compiled just now, for this request alone, and nothing has used it.
    unsafe {
        let entry = &mut *class;
        entry.get_static_method = STATIC_METHODS.get().copied();
        // Below a class of PHP code an object without a protocol of Python's is iterated as one of that class.
        let is_iterated =
            plan.shapes.php.is_none() || plan.methods.iter().any(|method| method.protocol == Some(Protocol::Iterator));
        if !description.is_exception() && is_iterated {
            // A `getIterator` of ours would be asked by `foreach` for each loop, and would ask this one in turn.
            entry.get_iterator = (*native::class(Native::PyObject)).get_iterator;
        }
        let user = &mut entry.info.user;
        user.line_start = line(description.line);
        user.line_end = user.line_start;
        if let Some(documentation) = &plan.documentation {
            let text = ZendStr::new(documentation, false).into_raw();
            #[cfg(not(php84))]
            {
                user.doc_comment = text;
            }
            #[cfg(php84)]
            {
                entry.doc_comment = text;
            }
        }
        for (index, method) in plan.methods.iter().enumerate() {
            let name = &method.lower_name;
            let found = zend_hash_str_find(&raw const entry.function_table, name.as_ptr().cast(), name.len());
            if let Some(found) = found.as_ref() {
                finish_method(&mut (*found.value.func).op_array, plan, index);
            }
        }
    }
}

/// # Safety
/// `code` is the compiled code of the plan's method at `index`, used by nobody yet.
unsafe fn finish_method(code: &mut zend_op_array, plan: &Rc<Plan>, index: usize) {
    let method = &plan.methods[index];
    let Some(slot) = SLOT.get() else { return };
    let of = Rc::new(MethodOf { class: Rc::clone(plan), index, known_index: KnownIndex::default() });
    code.reserved[*slot] = std::ptr::from_ref(&*of).cast_mut().cast();
    METHODS.with_borrow_mut(|methods| methods.push(of));
    if let Some(documentation) = &method.documentation {
        code.doc_comment = ZendStr::new(documentation, false).into_raw();
    }
    let line = line(method.line);
    if line > 0 {
        code.line_start = line;
        code.line_end = line;
    }
    let nothing = handler_of_nothing();
    // SAFETY: the engine laid `last` opcodes there, in memory that is this request's.
    let operations = unsafe { std::slice::from_raw_parts_mut(code.opcodes, code.last as usize) };
    for operation in operations {
        if line > 0 {
            operation.lineno = line;
        }
        // A missing argument is reported by us, by its name. The opcode stays what it is, for reflection.
        // One of a type is the engine's: it looks at the type as well.
        let is_typed = |number: u32| {
            let parameter = method.parameters.get((number as usize).wrapping_sub(1));
            parameter.is_some_and(|parameter| parameter.passing.type_.is_some())
        };
        // SAFETY: the operand of a receiving opcode is the parameter's number, from 1.
        if operation.opcode == RECEIVE && !is_typed(unsafe { operation.op1.num }) {
            operation.handler = nothing;
        }
    }
}

/// How the engine runs an opcode that does nothing.
fn handler_of_nothing() -> *const std::ffi::c_void {
    // SAFETY: an opcode of zeros is a NOP without operands; the engine only sets its handler.
    unsafe {
        let mut operation: _zend_op = std::mem::zeroed();
        operation.opcode = NOTHING;
        zend_vm_set_opcode_handler(&raw mut operation);
        operation.handler
    }
}

fn line(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(0)
}
