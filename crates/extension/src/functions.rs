//! The functions of the namespace `Tortoise`.

use std::path::Path;

use ext_php_rs::args::Arg;
use ext_php_rs::builders::{FunctionBuilder, ModuleBuilder};
use ext_php_rs::flags::DataType;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::ObjectReference;

use crate::engine::{Frame, class_in_table, guard, lower_case};
use crate::error::BridgeError;
use crate::handlers::{dynamic_method, dynamic_static_method, exception};
use crate::modules::{shorten, text_of};
use crate::throw::throw;
use crate::{
    async_view, autoload, callbacks, calls, classes, contexts, exports, interfaces, link, modules, native, objects,
    observers, proxy, settings, shared, slice, timeout,
};

/// Adds the functions to the module.
pub(crate) fn declare(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    module
        .function(FunctionBuilder::new("Tortoise\\register", register).arg(Arg::new("root", DataType::String)).returns(
            DataType::Void,
            false,
            false,
        ))
        .function(
            FunctionBuilder::new("Tortoise\\configure", configure).arg(Arg::new("settings", DataType::Array)).returns(
                DataType::Void,
                false,
                false,
            ),
        )
        .function(FunctionBuilder::new("Tortoise\\type", type_of).arg(Arg::new("class", DataType::String)).returns(
            DataType::Object("Tortoise\\PyObject".into()),
            false,
            false,
        ))
        .function(FunctionBuilder::new("Tortoise\\import", import).arg(Arg::new("module", DataType::String)).returns(
            DataType::Object("Tortoise\\PyObject".into()),
            false,
            false,
        ))
        .function(
            FunctionBuilder::new("Tortoise\\call", modules::call)
                .arg(Arg::new("script", DataType::String))
                .arg(Arg::new("function", DataType::String))
                .arg(Arg::new("args", DataType::Mixed).is_variadic())
                .returns(DataType::Mixed, false, false),
        )
        .function(
            FunctionBuilder::new("Tortoise\\shared", shared::shared)
                .arg(Arg::new("name", DataType::String))
                .arg(Arg::new("class", DataType::String))
                .arg(Arg::new("args", DataType::Mixed).is_variadic())
                .returns(DataType::Object("Tortoise\\PyObject".into()), false, false),
        )
        .function(
            FunctionBuilder::new("Tortoise\\with", contexts::with)
                .arg(Arg::new("manager", DataType::Object("Tortoise\\PyObject".into())))
                .arg(Arg::new("body", DataType::Callable))
                .returns(DataType::Mixed, false, false),
        )
        .function(
            FunctionBuilder::new("Tortoise\\timeout", timeout::timeout)
                .arg(Arg::new("seconds", DataType::Double))
                .arg(Arg::new("function", DataType::Callable))
                .returns(DataType::Mixed, false, false),
        )
        .function(
            FunctionBuilder::new("Tortoise\\observe", observers::observe)
                .arg(Arg::new("begin", DataType::Callable).allow_null())
                .not_required()
                .arg(Arg::new("end", DataType::Callable).allow_null().default("null"))
                .returns(DataType::Void, false, false),
        )
        .function(async_view::function())
        .function(FunctionBuilder::new("Tortoise\\status", status).returns(DataType::Array, false, false))
        .function(
            FunctionBuilder::new("Tortoise\\slice", slice::slice)
                .not_required()
                .arg(Arg::new("start", DataType::Mixed).default("null"))
                .arg(Arg::new("stop", DataType::Mixed).default("null"))
                .arg(Arg::new("step", DataType::Mixed).default("null"))
                .returns(DataType::Object("Tortoise\\PyObject".into()), false, false),
        )
        .function(FunctionBuilder::new("Tortoise\\Bridge\\protocol", interfaces::bridge_protocol))
        .function(FunctionBuilder::new("Tortoise\\Bridge\\method", calls::bridge_method))
        .function(FunctionBuilder::new("Tortoise\\Bridge\\construct", calls::bridge_construct))
        .function(FunctionBuilder::new("Tortoise\\Bridge\\members", exception::bridge_members))
        .function(FunctionBuilder::new("Tortoise\\Bridge\\callback", callbacks::refuse_direct_call))
        .function(variadic("Tortoise\\Bridge\\dynamic_method", dynamic_method))
        .function(variadic("Tortoise\\Bridge\\dynamic_static", dynamic_static_method))
}

fn variadic(name: &str, handler: extern "C" fn(&mut ExecuteData, &mut Zval)) -> FunctionBuilder<'static> {
    FunctionBuilder::new(name, handler).arg(Arg::new("arguments", DataType::Mixed).is_variadic())
}

/// Runs a function of one argument.
fn with_argument(data: &ExecuteData, action: impl FnOnce(&Zval) -> Result<Zval, BridgeError>, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, frame.native_arguments().surplus)
        };
        let outcome = match arguments {
            [argument] => action(argument.dereference()),
            _ => Err(BridgeError::ArgumentCount(format!(
                "{}() takes exactly 1 argument, {} given",
                String::from_utf8_lossy(frame.function_name()),
                arguments.len()
            ))),
        };
        match outcome {
            Ok(value) => *result = value,
            Err(error) => throw(error),
        }
    });
}

/// `Tortoise\register(string $root): void` searches one more class root, behind the others, in this request.
extern "C" fn register(data: &mut ExecuteData, result: &mut Zval) {
    let action = |root: &Zval| {
        let root = text_of(root, "root")?;
        if !Path::new(&root).is_dir() {
            return Err(BridgeError::Access(format!("the class root {root} is not a folder")));
        }
        settings::add_root(Path::new(&root));
        Ok(Zval::null())
    };
    with_argument(data, action, result);
}

/// `Tortoise\configure(array $settings): void` sets ini settings, named without `tortoise.`, before the first call.
extern "C" fn configure(data: &mut ExecuteData, result: &mut Zval) {
    let action = |settings: &Zval| {
        let settings = settings
            .array()
            .ok_or_else(|| BridgeError::Access("$settings must be an array of settings by their names".to_owned()))?;
        if link::is_in_use() {
            return Err(BridgeError::Access(
                "Tortoise\\configure() must come before the first use of a Python class in this request".to_owned(),
            ));
        }
        for (key, value) in settings {
            let value = value.dereference().coerce_to_string();
            let value = value.ok_or_else(|| BridgeError::Access(format!("the setting \"{key}\" must be a text")))?;
            settings::configure(&key.to_string(), value)?;
        }
        Ok(Zval::null())
    };
    with_argument(data, action, result);
}

/// `Tortoise\type(string $class): PyObject` gives the Python class object, with its live attributes.
extern "C" fn type_of(data: &mut ExecuteData, result: &mut Zval) {
    let action = |name: &Zval| {
        let name = text_of(name, "class")?;
        let name = name.strip_prefix('\\').unwrap_or(&name);
        let known = class_in_table(&lower_case(name.as_bytes())).filter(|class| classes::synthesized(*class).is_some());
        let class = match known {
            Some(class) => class,
            None if autoload::is_ours(name) => classes::load(name, false)?,
            None => {
                return Err(BridgeError::Access(format!(
                    "there is no Python class {}: no class file of that name lies in the class roots",
                    shorten(name)
                )));
            }
        };
        let (id, generation) = classes::target_of(class)?;
        proxy::receive(ObjectReference { id, class: 0, traits: tortoise_protocol::codec::TRAIT_CALLABLE }, generation)
    };
    with_argument(data, action, result);
}

/// `Tortoise\import(string $module): PyObject` gives a Python module, if it is one that PHP may use.
extern "C" fn import(data: &mut ExecuteData, result: &mut Zval) {
    with_argument(data, |name| modules::import(&text_of(name, "module")?), result);
}

/// `Tortoise\status(): array` tells of the link to Python, and connects nothing.
extern "C" fn status(_data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        let link = link::status();
        let mut table = ZendHashTable::new();
        let version = env!("CARGO_PKG_VERSION");
        let mut put = |key: &str, value: Zval| drop(table.insert(key, value));
        put("version", text(version));
        put("connected", boolean(!link.is_empty()));
        for (key, value) in link {
            put(key, text(&value));
        }
        put("objects", integer(objects::count()));
        put("exports", integer(exports::count()));
        let (count, report) = classes::report();
        put("classes", integer(count));
        put("widened", integer(report.widened));
        put("renamed", integer(report.renamed));
        put("undeclared", integer(report.undeclared));
        put("lost_bases", integer(report.lost_bases));
        *result = Zval::new();
        result.set_hashtable(table);
    });
}

fn text(text: &str) -> Zval {
    let mut value = Zval::new();
    value.set_zend_string(ext_php_rs::types::ZendStr::new(text, false));
    value
}

fn boolean(truth: bool) -> Zval {
    let mut value = Zval::new();
    value.set_bool(truth);
    value
}

fn integer(number: usize) -> Zval {
    let mut value = Zval::new();
    value.set_long(i64::try_from(number).unwrap_or(i64::MAX));
    value
}

/// Whether the module's own classes are there: a broken start must not go unseen.
pub(crate) fn is_complete() -> bool {
    !native::class(native::Native::AccessException).is_null()
}
