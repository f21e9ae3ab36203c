//! How values that cross the door look in JavaScript: enums as `"Name"` or `{ Name: { field: ... } }`, fields under
//! their Rust names, bytes as `Uint8Array`. The npm package turns them into what its users see.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsError, JsValue};

/// A value for JavaScript. Numbers above 2^53, which only digests are, have ways of their own.
pub fn to_js<T: Serialize>(value: &T) -> JsValue {
    serde_wasm_bindgen::to_value(value).expect("what the core gives out are numbers, strings, bytes, lists and enums")
}

/// A value from JavaScript.
///
/// # Errors
///
/// It is not shaped like a `T`; the message names the field or variant.
pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| JsError::new(&error.to_string()))
}
