//! `tortoise.so`: a Python class under a class root is a PHP class, and its objects are proxies.
//!
//! From the outside in, and each uses only what stands below it:
//!
//! - [`functions`], [`declarations`], [`autoload`]: what PHP sees of the extension; [`handlers`]: what the engine asks of
//!   a proxy; [`calls`], [`interfaces`], [`operate`], [`slice`]: from PHP to a request; [`modules`], [`contexts`],
//!   [`timeout`]: what some functions do; [`observers`]: who is told of calls; [`async_view`], [`future`]: calls that are not
//!   waited for. They end in [`throw`] if something goes wrong.
//! - [`arguments`], [`values`]: from PHP's values to the wire and back; [`raised`]: Python's exceptions in PHP, and
//!   [`thrown`]: PHP's in Python. [`callbacks`]: what Python asks of PHP.
//! - [`proxy`]: the objects; [`classes`]: the classes, whose source [`synthesis`] plans; [`naming`]: where class files lie.
//! - [`link`]: the session, and requests to it; [`objects`]: which PHP object is which Python object; [`exports`]: which PHP
//!   objects Python has; [`settings`].
//! - [`error`]: what can go wrong; [`native`]: where our own classes are; [`engine`]: the room of PHP's engine.

#![cfg_attr(debug_assertions, expect(missing_docs, reason = "php_module adds a public function to debug builds"))]

mod arguments;
mod async_view;
mod autoload;
mod bytes;
mod callbacks;
mod calls;
mod classes;
mod contexts;
mod declarations;
mod engine;
mod error;
mod exports;
mod functions;
mod future;
mod handlers;
mod interfaces;
mod link;
mod modules;
mod naming;
mod native;
mod objects;
mod observers;
mod operate;
mod proxy;
mod raised;
mod settings;
mod shared;
mod slice;
mod synthesis;
mod throw;
mod thrown;
mod timeout;
mod values;

use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_row, info_table_start, php_module};

use crate::arguments::LEFT_OUT;
use crate::engine::{FAILURE, SUCCESS};

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
    handlers::install();
    link::serve_callbacks_by(callbacks::serve);
    link::make_halves_by(proxy::make_of_value);
    if declarations::register().is_err() || !functions::is_complete() || classes::find_extension_slot().is_err() {
        return FAILURE;
    }
    engine::chain_autoload(autoload::autoload);
    SUCCESS
}

/// The module ends.
unsafe extern "C" fn shutdown(_kind: i32, _module_number: i32) -> i32 {
    engine::unchain_autoload();
    link::close();
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
        link::drop_at_end();
        observers::end_request();
        // Destructors have run already, of all objects that there were.
        exports::end_request();
        values::forget_keys();
        settings::end_request();
        engine::forget_asked();
    });
    SUCCESS
}

/// Nothing of the request is left, neither objects nor classes.
unsafe extern "C" fn after_request() -> i32 {
    link::reclaim();
    observers::forget_all();
    handlers::forget_dynamic();
    raised::forget_all();
    classes::forget_all();
    SUCCESS
}

extern "C" fn info(_module: *mut ModuleEntry) {
    info_table_start!();
    info_table_row!("Python classes as PHP classes", "enabled");
    info_table_row!("version", env!("CARGO_PKG_VERSION"));
    info_table_end!();
}
