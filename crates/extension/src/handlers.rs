//! What PHP's engine asks of a proxy: attributes, items, methods that its class does not declare, calls of the object
//! itself.

pub(crate) mod exception;
pub(crate) mod iteration;
mod methods;
mod properties;
pub(crate) mod to_array;

use crate::{classes, proxy};

pub(crate) use methods::{dynamic_method, dynamic_static_method, forget_dynamic};

/// Hands the handlers to whoever makes objects and classes, when the module starts.
pub(crate) fn install() {
    classes::find_static_methods_by(methods::get_static);
    proxy::set_up(|handlers| {
        handlers.read_property = Some(properties::read);
        handlers.write_property = Some(properties::write);
        handlers.has_property = Some(properties::has);
        handlers.unset_property = Some(properties::unset);
        handlers.get_property_ptr_ptr = Some(properties::pointer);
        handlers.get_method = Some(methods::get);
        handlers.get_closure = Some(methods::closure);
    });
}
