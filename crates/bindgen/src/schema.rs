//! Writes the types that cross the door as TypeScript: what each looks like to people, and the shape by which the page
//! reads and writes it as postcard. They are traced from the core's own types, so that neither can drift from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_reflection::{
    ContainerFormat, Error, Format, FormatHolder, Named, Registry, Samples, Tracer, TracerConfig, VariantFormat,
};
use wasmqtt_broker::codec::{ProtocolVersion, Qos, ReasonCode, RetainHandling, Rule};
use wasmqtt_broker::*;

/// What a page can't make itself and hands back as it came: to the end of the bytes.
const OPAQUE: &str = "Record";

const HEAD: &str = "// Written by crates/bindgen from the core's types: what crosses the door, for TypeScript and as \
     postcard.\n\
     import type { Shape } from '../src/postcard.js';\n\
     import { bool, bytes, enumeration, list, names, option, rest, struct, text, tuple, u16, u32, u64, u8, wide } \
     from '../src/postcard.js';\n";

/// The TypeScript of all types that are reached from `Config`, `Input` and `Output`.
///
/// # Errors
///
/// A type can't be traced: an enum is missing in [`trace`], or a field has a type that no page needed so far.
pub fn typescript() -> Result<String, String> {
    let registry = trace().map_err(|error| format!("{error}: {}", error.explanation()))?;
    let mut text = String::from(HEAD);
    let mut written = BTreeSet::from([OPAQUE.to_owned()]);
    for root in ["Config", "Input", "Output"] {
        container(root, &registry, &mut written, &mut text)?;
    }
    Ok(text)
}

/// Each enum by itself, those inside others first: the tracer follows one enum at a time.
fn trace() -> Result<Registry, Error> {
    let mut tracer = Tracer::new(TracerConfig::default().default_u16_value(1).default_u8_value(1));
    let samples = Samples::new();
    macro_rules! each {
        ($($name:ty),* $(,)?) => { $(tracer.trace_type::<$name>(&samples)?;)* };
    }
    each!(Qos, RetainHandling, ProtocolVersion, ReasonCode, Rule, Authentication, Storage, Allowed, Config);
    each!(Direction, BridgeError, BridgeEnd);
    each!(Violation, Refusal, Fault, Transport, Subject, Verdict, Command, Input);
    each!(CloseReason, Question, DropReason, SessionEnd, Event, NotDelivered, Delivery, Trace, Awaits, Page, Reply);
    each!(Record, Output);
    tracer.registry()
}

/// Writes a type, and before it what it is made of.
fn container(name: &str, all: &Registry, written: &mut BTreeSet<String>, text: &mut String) -> Result<(), String> {
    if !written.insert(name.to_owned()) {
        return Ok(());
    }
    let format = all.get(name).ok_or_else(|| format!("{name} was not traced"))?;
    let mut parts = Vec::new();
    format
        .visit(&mut |part| {
            if let Format::TypeName(part) = part {
                parts.push(part.clone());
            }
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    for part in parts {
        container(&part, all, written, text)?;
    }
    let (ty, shape) = match format {
        ContainerFormat::NewTypeStruct(inner) => (type_of(inner)?, shape_of(inner)?),
        ContainerFormat::Struct(fields) => (interface(fields)?, shape_of_fields(fields)?),
        ContainerFormat::Enum(variants) => enumeration(name, variants)?,
        ContainerFormat::UnitStruct | ContainerFormat::TupleStruct(_) => {
            return Err(format!("{name}: no page needed such a struct so far"));
        }
    };
    writeln!(text, "\nexport type {name} = {ty};\nexport const {name}: Shape<{name}> = {shape};")
        .expect("a String takes everything");
    Ok(())
}

fn enumeration(name: &str, variants: &BTreeMap<u32, Named<VariantFormat>>) -> Result<(String, String), String> {
    let (mut types, mut shapes) = (Vec::new(), Vec::new());
    for (at, (index, variant)) in variants.iter().enumerate() {
        if at as u32 != *index {
            return Err(format!("{name}: its variants are not numbered without gaps"));
        }
        let (ty, shape) = match &variant.value {
            VariantFormat::Unit => {
                types.push(format!("'{}'", variant.name));
                shapes.push(format!("{}: undefined", variant.name));
                continue;
            }
            // The only numbers of 64 bits that use all of them.
            VariantFormat::NewType(inner) if **inner == Format::U64 => ("bigint".into(), "wide".into()),
            VariantFormat::NewType(inner) => (type_of(inner)?, shape_of(inner)?),
            VariantFormat::Struct(fields) => (interface(fields)?, shape_of_fields(fields)?),
            VariantFormat::Tuple(parts) => (tuple_type(parts)?, tuple_shape(parts)?),
            VariantFormat::Variable(_) => return Err(format!("{name}::{} was not traced", variant.name)),
        };
        types.push(format!("{{ {}: {ty} }}", variant.name));
        shapes.push(format!("{}: {shape}", variant.name));
    }
    let shape = match variants.values().all(|variant| variant.value == VariantFormat::Unit) {
        true => format!("names('{}')", variants.values().map(|variant| &*variant.name).collect::<Vec<_>>().join(" ")),
        false => format!("enumeration({{ {} }})", shapes.join(", ")),
    };
    Ok((types.join(" | "), shape))
}

fn interface(fields: &[Named<Format>]) -> Result<String, String> {
    let fields: Result<Vec<String>, String> = fields
        .iter()
        .map(|field| {
            let optional = if matches!(field.value, Format::Option(_)) { "?" } else { "" };
            Ok(format!("{}{optional}: {}", field.name, type_of(&field.value)?))
        })
        .collect();
    Ok(format!("{{ {} }}", fields?.join("; ")))
}

fn shape_of_fields(fields: &[Named<Format>]) -> Result<String, String> {
    let fields: Result<Vec<String>, String> =
        fields.iter().map(|field| Ok(format!("{}: {}", field.name, shape_of(&field.value)?))).collect();
    Ok(format!("struct({{ {} }})", fields?.join(", ")))
}

fn tuple_type(parts: &[Format]) -> Result<String, String> {
    Ok(format!("[{}]", parts.iter().map(type_of).collect::<Result<Vec<_>, _>>()?.join(", ")))
}

fn tuple_shape(parts: &[Format]) -> Result<String, String> {
    Ok(format!("tuple([{}])", parts.iter().map(shape_of).collect::<Result<Vec<_>, _>>()?.join(", ")))
}

/// How a value looks in TypeScript.
fn type_of(format: &Format) -> Result<String, String> {
    Ok(match format {
        Format::TypeName(name) if name == OPAQUE => "Uint8Array".into(),
        Format::TypeName(name) => name.clone(),
        Format::Bool => "boolean".into(),
        Format::U8 | Format::U16 | Format::U32 | Format::U64 => "number".into(),
        Format::Str => "string".into(),
        Format::Bytes => "Uint8Array".into(),
        Format::Seq(inner) if **inner == Format::U8 => "Uint8Array".into(),
        Format::Seq(inner) => format!("Array<{}>", type_of(inner)?),
        Format::Option(inner) => format!("{} | undefined", type_of(inner)?),
        Format::Tuple(parts) => tuple_type(parts)?,
        other => return Err(format!("{other:?}: no page needed such a value so far")),
    })
}

/// The shape by which it is read and written.
fn shape_of(format: &Format) -> Result<String, String> {
    Ok(match format {
        Format::TypeName(name) if name == OPAQUE => "rest".into(),
        Format::TypeName(name) => name.clone(),
        Format::Bool => "bool".into(),
        Format::U8 => "u8".into(),
        Format::U16 => "u16".into(),
        Format::U32 => "u32".into(),
        Format::U64 => "u64".into(),
        Format::Str => "text".into(),
        Format::Bytes => "bytes".into(),
        Format::Seq(inner) if **inner == Format::U8 => "bytes".into(),
        Format::Seq(inner) => format!("list({})", shape_of(inner)?),
        Format::Option(inner) => format!("option({})", shape_of(inner)?),
        Format::Tuple(parts) => tuple_shape(parts)?,
        other => return Err(format!("{other:?}: no page needed such a value so far")),
    })
}
