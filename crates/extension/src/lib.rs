//! `tortoise.so`: a Python class under a class root is a PHP class, and its objects are proxies.
//!
//! - [`autoload`] is asked for names that PHP does not know; [`classes`] learns what the Python class is and declares
//!   a PHP class, whose source [`synthesis`] plans; [`naming`] knows where class files lie.
//! - [`calls`] and [`proxy`] turn what PHP does with such an object into requests; [`values`] carries the values,
//!   [`raised`] the exceptions, [`link`] the bytes.
//! - [`engine`] is the room of PHP's engine; [`native`] and [`functions`] are what PHP sees of the extension itself.

#![cfg_attr(debug_assertions, expect(missing_docs, reason = "php_module adds a public function to debug builds"))]

mod arguments;
mod autoload;
mod calls;
mod classes;
mod engine;
mod error;
mod functions;
mod link;
mod naming;
mod native;
mod objects;
mod proxy;
mod raised;
mod settings;
mod synthesis;
mod values;

use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_row, info_table_start, php_module};

/// The constant `Tortoise\LEFT_OUT`: a parameter's default that only Python can write. Passing it passes nothing.
pub(crate) const LEFT_OUT: &str = "\u{1}tortoise: left out, Python's default\u{1}";

/// What the engine calls a success, and a failure.
const SUCCESS: i32 = 0;
const FAILURE: i32 = -1;

/// Describes the module to PHP.
#[php_module]
#[php(startup = startup)]
pub fn get_module(module: ModuleBuilder<'static>) -> ModuleBuilder<'static> {
    functions::declare(module.name("tortoise").version(env!("CARGO_PKG_VERSION")))
        .constant(("Tortoise\\LEFT_OUT", LEFT_OUT, &[]))
        .shutdown_function(shutdown)
        .request_startup_function(start_of_request)
        .request_shutdown_function(end_of_request)
        .post_deactivate_function(after_request)
        .info_function(info)
}

/// The module starts, once for the process.
unsafe extern "C" fn startup(_kind: i32, module_number: i32) -> i32 {
    settings::register_ini(module_number);
    if native::register().is_err() || !functions::is_complete() || classes::find_extension_slot().is_err() {
        return FAILURE;
    }
    link::watch_forks();
    autoload::install();
    SUCCESS
}

/// The module ends.
unsafe extern "C" fn shutdown(_kind: i32, _module_number: i32) -> i32 {
    autoload::uninstall();
    link::abandon();
    SUCCESS
}

/// A request begins.
unsafe extern "C" fn start_of_request(_kind: i32, _module_number: i32) -> i32 {
    objects::open();
    SUCCESS
}

/// The request is over; PHP frees its objects next.
unsafe extern "C" fn end_of_request(_kind: i32, _module_number: i32) -> i32 {
    engine::guard((), || {
        link::end_request();
        settings::end_request();
    });
    SUCCESS
}

/// Nothing of the request is left, neither objects nor classes.
unsafe extern "C" fn after_request() -> i32 {
    link::reclaim();
    proxy::forget_dynamic();
    classes::forget_all();
    SUCCESS
}

extern "C" fn info(_module: *mut ModuleEntry) {
    info_table_start!();
    info_table_row!("Python classes as PHP classes", "enabled");
    info_table_row!("version", env!("CARGO_PKG_VERSION"));
    info_table_end!();
}
