//! Objects for JavaScript, field by field.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsError, JsValue};

/// What a function returns that gives JavaScript an object; none of them fails. The V8 of Node 20 puts calls of
/// functions that return a bare reference into its optimised code, and dies ("unreachable code" in its deoptimizer)
/// when that code must be given up during such a call. What can fail is returned as three values, and V8 leaves such
/// calls alone.
pub type Returned<T> = Result<T, JsError>;

/// An object with these fields.
pub fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

/// Gives an object a field.
pub fn set(object: &Object, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).expect("an object of our own takes any property");
}
