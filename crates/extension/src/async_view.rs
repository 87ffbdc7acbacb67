//! `Tortoise\async()`: a view of a Python object whose calls are sent at once, and give a future.

use ext_php_rs::args::Arg;
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::ffi::{zend_object, zend_read_property};
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::description::MethodKind;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::MethodName;

use crate::arguments::{NativeArguments, WriteArguments};
use crate::declarations::private_property;
use crate::engine::{
    Arguments, Frame, View, guard, object_init_ex, object_of, user_method, view, zend_update_property,
};
use crate::error::BridgeError;
use crate::link::{self, KnownIndex, Ticket};
use crate::native::{self, Native, keep};
use crate::throw::throw_from;
use crate::{classes, future, proxy, values};

/// The private property that holds the object.
const OBJECT: &str = "object";

/// The method that runs for every method of the view.
const CALL: &str = "__call";

/// `Tortoise\async(PyObject $object): object`
pub(crate) fn function() -> FunctionBuilder<'static> {
    FunctionBuilder::new("Tortoise\\async", async_view)
        .arg(Arg::new("object", DataType::Object("Tortoise\\PyObject".into())))
        .returns(DataType::Object("Tortoise\\AsyncView".into()), false, false)
}

/// The class of the views.
pub(crate) fn class() -> ClassBuilder {
    let future = || DataType::Object("Tortoise\\Future".into());
    let name = || Arg::new("name", DataType::String);
    let refusal = |method, kind| FunctionBuilder::new(method, refuse).arg(name()).returns(kind, false, false);
    ClassBuilder::new("Tortoise\\AsyncView")
        .flags(ClassFlags::Final | ClassFlags::NotSerializable)
        .method(FunctionBuilder::new("__construct", refuse), MethodFlags::Private)
        .method(
            FunctionBuilder::new(CALL, call).arg(name()).arg(Arg::new("arguments", DataType::Array)).returns(
                future(),
                false,
                false,
            ),
            MethodFlags::Public,
        )
        .method(
            FunctionBuilder::new("__invoke", invoke).arg(Arg::new("arguments", DataType::Mixed).is_variadic()).returns(
                future(),
                false,
                false,
            ),
            MethodFlags::Public,
        )
        .method(refusal("__get", DataType::Mixed), MethodFlags::Public)
        .method(refusal("__isset", DataType::Bool), MethodFlags::Public)
        .method(refusal("__unset", DataType::Void), MethodFlags::Public)
        .method(
            FunctionBuilder::new("__set", refuse).arg(name()).arg(Arg::new("value", DataType::Mixed)).returns(
                DataType::Void,
                false,
                false,
            ),
            MethodFlags::Public,
        )
        .property(private_property(OBJECT))
        .registration(|class, arguments| keep(Native::AsyncView, class, arguments))
}

extern "C" fn async_view(data: &mut ExecuteData, result: &mut Zval) {
    answer(data, result, |_, arguments| {
        let [argument] = arguments else {
            return Err(BridgeError::ArgumentCount(format!(
                "Tortoise\\async() expects exactly 1 argument, {} given",
                arguments.len()
            )));
        };
        let View::Object(object) = view(argument) else { return Err(no_python_object()) };
        proxy::target_of_proxy(object).ok_or_else(no_python_object)??;
        let mut made = Zval::new();
        let class = native::class(Native::AsyncView);
        // SAFETY: the class is concrete, and the slot holds nothing.
        unsafe { object_init_ex(&raw mut made, class) };
        let mut value = argument.dereference().shallow_clone();
        let Some(made_object) = object_of(&made) else { return Err(BridgeError::Pending) };
        // SAFETY: object and value are live; the engine takes a count of the value of its own.
        unsafe { zend_update_property(class, made_object, OBJECT.as_ptr().cast(), OBJECT.len(), &raw mut value) };
        Ok(made)
    });
}

fn no_python_object() -> BridgeError {
    BridgeError::Type("Tortoise\\async(): Argument #1 ($object) must be of type Tortoise\\PyObject".to_owned())
}

/// `__call(string $name, array $arguments): Future`
extern "C" fn call(data: &mut ExecuteData, result: &mut Zval) {
    answer(data, result, |this, arguments| {
        let [name, arguments] = arguments else { return Err(BridgeError::not_generated()) };
        let (View::String(_), View::Array(collected)) = (view(name), view(arguments)) else {
            return Err(BridgeError::Type(format!("Tortoise\\AsyncView::{CALL}() takes a name and an array")));
        };
        let name = name.dereference();
        let Some(name) = name.str() else {
            return Err(BridgeError::Access("the name of a method must be UTF-8".to_owned()));
        };
        let collected = Some(collected);
        let arguments = Arguments { positional: &[], surplus: &[], collected, has_filled_in: false };
        let this = this.ok_or_else(BridgeError::not_generated)?;
        send(object_behind(this)?, name, &NativeArguments(arguments)).map(future::make)
    });
}

/// `__invoke(mixed ...$arguments): Future`
extern "C" fn invoke(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function with one variadic parameter.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, NativeArguments(frame.native_arguments()))
        };
        let sent = frame.this().ok_or_else(BridgeError::not_generated).and_then(|this| {
            let target = proxy::target(object_behind(this)?)?;
            begin(target, MethodName::Text(""), &arguments)
        });
        match sent {
            Ok(ticket) => *result = future::make(ticket),
            Err(error) => throw_from(frame, error),
        }
    });
}

/// Attributes, and `new`.
extern "C" fn refuse(data: &mut ExecuteData, result: &mut Zval) {
    answer(data, result, |_, arguments| {
        let name = arguments.first().and_then(Zval::str).unwrap_or_default();
        let shown: String = name.chars().take(100).collect();
        Err(BridgeError::Access(format!(
            "the attribute \"{shown}\" is not for the view that Tortoise\\async() gives: it has methods only, whose calls \
             are sent at once. Use the object itself"
        )))
    });
}

/// Runs a native function.
fn answer(
    data: &ExecuteData,
    result: &mut Zval,
    action: impl FnOnce(Option<&zend_object>, &[Zval]) -> Result<Zval, BridgeError>,
) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, frame.native_arguments().surplus)
        };
        match action(frame.this().map(|this| &*this), arguments) {
            Ok(value) => *result = value,
            Err(error) => throw_from(frame, error),
        }
    });
}

/// The object that a view is one of.
fn object_behind(this: &zend_object) -> Result<&zend_object, BridgeError> {
    let mut unused = Zval::new();
    // SAFETY: the class declares the property, so that the engine gives the property itself and not the slot that is
    // dropped here; the view holds it for as long as it lives.
    let value = unsafe {
        let this = std::ptr::from_ref(this).cast_mut();
        let class = native::class(Native::AsyncView);
        &*zend_read_property(class, this, OBJECT.as_ptr().cast(), OBJECT.len(), true, &raw mut unused)
    };
    match view(value) {
        View::Object(object) => Ok(object),
        _ => Err(no_python_object()),
    }
}

/// Sends a call of the method that PHP code would call by this name.
fn send(object: &zend_object, name: &str, arguments: &NativeArguments<'_>) -> Result<Ticket, BridgeError> {
    let target = proxy::target(object)?;
    // SAFETY: a live object's class is live.
    let Some(code) = (unsafe { user_method(object.ce, name) }) else {
        values::check_name(name)?;
        return begin(target, MethodName::Text(name), arguments);
    };
    let Some(of) = classes::method_of(code) else {
        return Err(BridgeError::Access(format!(
            "{name}() is a method in PHP, which runs here; only Python's methods can be called through Tortoise\\async()"
        )));
    };
    let method = of.method();
    let (id, generation) = match method.kind {
        MethodKind::Static | MethodKind::Class => classes::target_of(object.ce)?,
        MethodKind::Instance | MethodKind::Constructor => target,
    };
    let name = of.known_index.name(&method.python_name, generation);
    let ticket =
        begin((id, generation), name, arguments).inspect_err(|_| KnownIndex::was_not_sent(name, generation))?;
    of.known_index.reached(name, generation);
    Ok(ticket)
}

fn begin(
    (id, generation): (u64, u32),
    name: MethodName<'_>,
    arguments: &impl WriteArguments,
) -> Result<Ticket, BridgeError> {
    link::begin(generation, Kind::Call, |outgoing| {
        outgoing.unsigned(id);
        name.write(outgoing);
        arguments.write(outgoing)
    })
}
