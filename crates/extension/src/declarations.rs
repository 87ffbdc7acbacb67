//! Declares the classes of the namespace `Tortoise`, once for the process.

use ext_php_rs::args::{Arg, ArgInfoTables as Tables};
use ext_php_rs::builders::{ClassBuilder, ClassProperty, FunctionBuilder};
use ext_php_rs::error::Result;
use ext_php_rs::ffi::zend_ce_exception;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags, PropertyFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ClassEntry, ExecuteData};

use crate::engine::{Frame, guard, spl_ce_RuntimeException};
use crate::handlers::{exception, exception_members, iteration, to_array};
use crate::native::{Native, class, keep};
use crate::{async_view, bytes, calls, future, observers, proxy, raised};

/// Declares all of them, when the module starts.
pub(crate) fn register() -> Result<()> {
    ClassBuilder::new("Tortoise\\Remote")
        .flags(ClassFlags::Interface)
        .registration(|c, a| keep(Native::Remote, c, a))
        .register()?;
    // An interface may extend Throwable only with an exception class that implements it, so the marker stands alone.
    ClassBuilder::new("Tortoise\\Exception")
        .flags(ClassFlags::Interface)
        .registration(|c, a| keep(Native::Exception, c, a))
        .register()?;
    ClassBuilder::new("Tortoise\\PyObject")
        .implements((|| entry(Native::Remote), "Tortoise\\Remote"))
        .method(
            FunctionBuilder::new("__construct", construct).arg(Arg::new("arguments", DataType::Mixed).is_variadic()),
            MethodFlags::Public,
        )
        // Without a return type, so that a Python method of the name may give back what it likes.
        .method(FunctionBuilder::new(to_array::NAME, to_array::to_array), MethodFlags::Public)
        .registration(|c, a| keep(Native::PyObject, c, a))
        .register()?;
    proxy::adopt(class(Native::PyObject));
    iteration::adopt(class(Native::PyObject));
    bytes_class().register()?;
    async_view::class().register()?;
    future::declare()?;
    python_exception().register()?;
    raised::adopt(class(Native::PythonException), exception_members::fill);
    exception_class("Tortoise\\ConnectionException", |c, a| keep(Native::ConnectionException, c, a))?;
    exception_class("Tortoise\\TimeoutException", |c, a| keep(Native::TimeoutException, c, a))?;
    exception_class("Tortoise\\StaleObjectException", |c, a| keep(Native::StaleObjectException, c, a))?;
    exception_class("Tortoise\\ConversionException", |c, a| keep(Native::ConversionException, c, a))?;
    exception_class("Tortoise\\AccessException", |c, a| keep(Native::AccessException, c, a))?;
    exception_class("Tortoise\\AggregateException", |c, a| keep(Native::AggregateException, c, a))
}

fn bytes_class() -> ClassBuilder {
    ClassBuilder::new("Tortoise\\Bytes")
        .flags(ClassFlags::Final)
        .method(
            FunctionBuilder::new("__construct", bytes::construct).arg(Arg::new("bytes", DataType::String)),
            MethodFlags::Public,
        )
        .method(
            FunctionBuilder::new("__toString", bytes::to_string).returns(DataType::String, false, false),
            MethodFlags::Public,
        )
        .property(private_property(bytes::PROPERTY))
        .registration(|c, a| keep(Native::Bytes, c, a))
}

pub(crate) fn private_property(name: &str) -> ClassProperty {
    ClassProperty {
        name: name.to_owned(),
        flags: PropertyFlags::Private,
        default: None,
        docs: &[],
        ty: None,
        nullable: true,
        readonly: false,
        default_stub: None,
    }
}

fn exception_class(name: &str, keep: fn(&'static mut ClassEntry, Tables)) -> Result<()> {
    ClassBuilder::new(name)
        .extends((runtime_exception, "RuntimeException"))
        .implements((|| entry(Native::Exception), "Tortoise\\Exception"))
        .registration(keep)
        .register()
}

fn python_exception() -> ClassBuilder {
    let getter = |name, handler, kind| {
        (FunctionBuilder::new(name, handler).returns(kind, false, false), MethodFlags::Public | MethodFlags::Final)
    };
    let mut builder = ClassBuilder::new("Tortoise\\PythonException")
        .extends((runtime_exception, "RuntimeException"))
        .implements((|| entry(Native::Exception), "Tortoise\\Exception"))
        .implements((|| entry(Native::Remote), "Tortoise\\Remote"))
        .registration(|c, a| keep(Native::PythonException, c, a));
    for (function, flags) in [
        getter("getPythonClass", exception::get_python_class, DataType::String),
        getter("getPythonTraceback", exception::get_python_traceback, DataType::String),
        getter("getPythonException", exception::get_python_exception, DataType::Object("Tortoise\\PyObject".into())),
    ] {
        builder = builder.method(function, flags);
    }
    for name in raised::PROPERTIES {
        builder = builder.property(private_property(name));
    }
    builder
}

fn entry(native: Native) -> &'static ClassEntry {
    // SAFETY: called by the builder after the class was registered; internal classes live as long as the process.
    unsafe { &*class(native) }
}

fn runtime_exception() -> &'static ClassEntry {
    // SAFETY: SPL is compiled into PHP and starts before any shared extension.
    unsafe { spl_ce_RuntimeException.as_ref().unwrap_or(&*zend_ce_exception) }
}

/// `PyObject::__construct(mixed ...$arguments)`: what `new` runs for a class whose constructor Python inherits.
extern "C" fn construct(data: &mut ExecuteData, result: &mut Zval) {
    observers::watched(data, result, run_constructor);
}

extern "C" fn run_constructor(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        calls::construct_with_native_arguments(frame, result);
    });
}
