//! What PHP's engine asks of a proxy: attributes, items, operators, methods that its class does not declare, calls of the
//! object itself.

mod casts;
mod comparison;
mod copies;
mod debug;
mod dimensions;
pub(crate) mod exception;
pub(crate) mod exception_members;
pub(crate) mod iteration;
mod methods;
mod operators;
mod overridden;
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
        handlers.read_dimension = Some(dimensions::read);
        handlers.write_dimension = Some(dimensions::write);
        handlers.has_dimension = Some(dimensions::has);
        handlers.unset_dimension = Some(dimensions::unset);
        handlers.do_operation = Some(operators::operate);
        handlers.compare = Some(comparison::compare);
        handlers.cast_object = Some(casts::cast);
        handlers.clone_obj = Some(copies::clone);
        handlers.get_properties_for = Some(debug::properties_for);
    });
    proxy::set_up_without_class(|handlers| handlers.count_elements = Some(casts::count));
}
