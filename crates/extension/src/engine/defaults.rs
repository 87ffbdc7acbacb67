//! The defaults of the parameters of PHP code, as they stand in the code: nothing is evaluated.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{_zend_op, zend_op_array};
use ext_php_rs::types::{ZendStr, Zval};

use super::ffi::zend_ast_export;

/// The engine's `ZEND_RECV_INIT`.
const RECEIVE_WITH_DEFAULT: u8 = 64;

/// The engine's `IS_CONSTANT_AST`.
const EXPRESSION: u32 = 11;

/// The bytes in front of an expression's tree: the engine's `zend_ast_ref`.
const HEAD_OF_EXPRESSION: usize = 8;

/// The default of a parameter.
pub(crate) enum DefaultOf<'a> {
    /// A value.
    Value(&'a Zval),
    /// The source of an expression, as the engine writes it.
    Expression(String),
}

/// The default of the parameter at `position`; None if it has none.
///
/// # Safety
/// `code` is the code of a linked class's method, which outlives the result.
pub(crate) unsafe fn default_of(code: &zend_op_array, position: usize) -> Option<DefaultOf<'_>> {
    // SAFETY: the engine laid `last` opcodes there. Those that receive arguments come first, one for each parameter.
    let operations = unsafe { std::slice::from_raw_parts(code.opcodes, code.last as usize) };
    let operation = operations.iter().take(code.num_args as usize * 2).find(|operation| {
        // SAFETY: the operand of a receiving opcode is the parameter's number, from 1.
        operation.opcode == RECEIVE_WITH_DEFAULT && unsafe { operation.op1.num } as usize == position + 1
    })?;
    // SAFETY: the second operand of this opcode is a literal, laid at a distance from the opcode.
    unsafe {
        let distance = operation.op2.constant.cast_signed() as isize;
        let value = &*std::ptr::from_ref::<_zend_op>(operation).byte_offset(distance).cast::<Zval>();
        if value.u1.type_info & 0xff != EXPRESSION {
            return Some(DefaultOf::Value(value));
        }
        let tree = value.value.ast.byte_add(HEAD_OF_EXPRESSION);
        let text = zend_ast_export(c"".as_ptr(), tree.cast(), c"".as_ptr());
        let text = ZBox::<ZendStr>::from_raw(text);
        Some(DefaultOf::Expression(String::from_utf8_lossy(text.as_bytes()).into_owned()))
    }
}
