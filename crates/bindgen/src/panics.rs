//! Takes out of a wasm what only a panic's message would need. The page's answer to a panic (`runtime.rs` of
//! `crates/web`) names the file and nothing else, but the standard library comes compiled, so that its functions write
//! the message all the same: all of `core::fmt`, and with each place that can panic its line and column.
//!
//! - Functions that panic, which have the place as their last argument, throw the name of the file at once.
//! - Places in the same file become one place.
//! - What formats a value can then be called by nobody and is emptied, unless the core itself formats text.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rustc_demangle::demangle;
use walrus::ir::{Call, Const, Instr, InstrSeq, LoadKind, MemArg, Value, Visitor, VisitorMut};
use walrus::ir::{dfs_in_order, dfs_pre_order_mut};
use walrus::{ConstExpr, DataId, DataKind, ElementItems, FunctionBuilder, FunctionId, Module, ValType};

/// A place in the source, as `core::panic::Location` lies in memory: the file's name (where, how long), line, column.
const PLACE_BYTES: usize = 16;

/// The wasm without messages of panics.
pub fn shorten(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let mut module = Module::from_buffer(wasm).map_err(|error| format!("{error:#}"))?;
    if module.funcs.iter_local().any(|(id, _)| name_of(&module, id).starts_with("std::panicking::")) {
        // Its answer to panics is the whole standard library's, which shows the message.
        return Ok(wasm.to_vec());
    }
    let panicking = panicking(&module)?;
    let panicked = panicked(&mut module)?;
    for &id in &panicking {
        throw_at_once(&mut module, id, panicked);
    }
    one_place_a_file(&mut module, &panicking)?;
    empty_formatting(&mut module);
    Ok(module.emit_wasm())
}

/// A function's name as Rust writes it, without the hash.
fn name_of(module: &Module, id: FunctionId) -> String {
    module.funcs.get(id).name.as_deref().map_or_else(String::new, |name| format!("{:#}", demangle(name)))
}

/// The standard library's functions that panic, at the place that is their last argument.
fn panicking(module: &Module) -> Result<HashSet<FunctionId>, String> {
    const LAST: [&str; 8] = [
        "unwrap_failed",
        "expect_failed",
        "assert_failed",
        "slice_index_fail",
        "len_mismatch_fail",
        "slice_error_fail",
        "slice_error_fail_rt",
        "capacity_overflow",
    ];
    let mut found = HashSet::new();
    for (id, function) in module.funcs.iter_local() {
        let name = name_of(module, id);
        let of_library = name.starts_with("core::") || name.starts_with("alloc::");
        let last = name.rsplit("::").find(|part| !part.starts_with('<')).unwrap_or_default();
        if of_library && (name.starts_with("core::panicking::") || LAST.contains(&last)) {
            let ty = module.types.get(function.ty());
            if ty.params().last() == Some(&ValType::I32) && ty.results().is_empty() {
                found.insert(id);
            }
        }
    }
    if found.iter().any(|id| name_of(module, *id) == "core::panicking::panic_fmt") {
        Ok(found)
    } else {
        Err("the wasm has no names of functions, or no core::panicking::panic_fmt among them".to_owned())
    }
}

/// A new function that throws the file's name of the place that it gets, as the page's answer to panics does.
fn panicked(module: &mut Module) -> Result<FunctionId, String> {
    let throw =
        module.funcs.iter_local().map(|(id, _)| id).find(|id| name_of(module, *id) == "wasm_bindgen::throw_str");
    let throw = throw.ok_or("the wasm has no wasm_bindgen::throw_str")?;
    let memory = module.memories.iter().next().ok_or("the wasm has no memory")?.id();
    let place = module.locals.add(ValType::I32);
    let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
    builder.name("panicked".to_owned());
    let load = LoadKind::I32 { atomic: false };
    let mut body = builder.func_body();
    body.local_get(place).load(memory, load, MemArg { align: 4, offset: 0 });
    body.local_get(place).load(memory, load, MemArg { align: 4, offset: 4 });
    body.call(throw).unreachable();
    Ok(builder.finish(vec![place], &mut module.funcs))
}

fn throw_at_once(module: &mut Module, id: FunctionId, panicked: FunctionId) {
    let (params, name) = (module.types.get(module.funcs.get(id).ty()).params().to_vec(), name_of(module, id));
    let args: Vec<_> = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &[]);
    builder.name(name);
    builder.func_body().local_get(args[args.len() - 1]).call(panicked).unreachable();
    module.funcs.get_mut(id).kind = walrus::FunctionKind::Local(builder.local_func(args));
}

/// The data that is there from the beginning.
struct Memory {
    segments: Vec<Segment>,
}

struct Segment {
    id: DataId,
    begin: usize,
    bytes: Vec<u8>,
}

impl Memory {
    fn of(module: &Module) -> Memory {
        let segments = module.data.iter().filter_map(|data| match data.kind {
            DataKind::Active { offset: ConstExpr::Value(Value::I32(begin)), .. } => {
                Some(Segment { id: data.id(), begin: begin as u32 as usize, bytes: data.value.clone() })
            }
            _ => None,
        });
        Memory { segments: segments.collect() }
    }

    fn put_back(self, module: &mut Module) {
        for Segment { id, bytes, .. } in self.segments {
            module.data.get_mut(id).value = bytes;
        }
    }

    fn at(&mut self, address: usize, len: usize) -> Option<&mut [u8]> {
        self.segments.iter_mut().find_map(|Segment { begin, bytes, .. }| {
            let at = address.checked_sub(*begin)?;
            bytes.get_mut(at..at.checked_add(len)?)
        })
    }

    fn fill_with_zeros(&mut self, address: usize, len: usize) {
        if let Some(bytes) = self.at(address, len) {
            bytes.fill(0);
        }
    }

    /// Whatever could be an address.
    fn words(&self) -> HashSet<usize> {
        let words = self.segments.iter().flat_map(|segment| segment.bytes.windows(4));
        words.map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]) as usize).collect()
    }

    fn word(&mut self, address: usize) -> Option<usize> {
        let word = self.at(address, 4)?;
        Some(u32::from_le_bytes([word[0], word[1], word[2], word[3]]) as usize)
    }

    /// Where the name of a place's file begins, and how long it is.
    fn file(&mut self, place: usize) -> Option<(usize, usize)> {
        let (begin, len) = (self.word(place)?, self.word(place + 4)?);
        self.at(begin, len)?.ends_with(b".rs").then_some((begin, len))
    }
}

/// Calls of functions that panic with a place that is known, each as the place.
struct Places<'a> {
    panicking: &'a HashSet<FunctionId>,
    /// The places that calls name, and all other constants.
    places: BTreeSet<usize>,
    others: HashSet<usize>,
}

/// Which constants of a sequence are places of panics.
fn is_place(instrs: &[(Instr, walrus::InstrLocId)], at: usize, panicking: &HashSet<FunctionId>) -> bool {
    matches!(instrs.get(at + 1), Some((Instr::Call(Call { func }), _)) if panicking.contains(func))
}

impl<'i> Visitor<'i> for Places<'_> {
    fn start_instr_seq(&mut self, seq: &'i InstrSeq) {
        for (at, (instr, _)) in seq.instrs.iter().enumerate() {
            if let Instr::Const(Const { value: Value::I32(value) }) = instr {
                let value = *value as u32 as usize;
                if is_place(&seq.instrs, at, self.panicking) {
                    self.places.insert(value);
                } else {
                    self.others.insert(value);
                }
            }
        }
    }
}

/// Puts one place of a file in for all others.
struct Moved<'a> {
    panicking: &'a HashSet<FunctionId>,
    to: &'a HashMap<usize, usize>,
}

impl VisitorMut for Moved<'_> {
    fn start_instr_seq_mut(&mut self, seq: &mut InstrSeq) {
        for at in 0..seq.instrs.len() {
            if is_place(&seq.instrs, at, self.panicking)
                && let Instr::Const(Const { value: Value::I32(value) }) = &mut seq.instrs[at].0
                && let Some(to) = self.to.get(&(*value as u32 as usize))
            {
                *value = *to as i32;
            }
        }
    }
}

fn one_place_a_file(module: &mut Module, panicking: &HashSet<FunctionId>) -> Result<(), String> {
    let mut found = Places { panicking, places: BTreeSet::new(), others: HashSet::new() };
    for (_, function) in module.funcs.iter_local() {
        dfs_in_order(&mut found, function, function.entry_block());
    }
    let mut memory = Memory::of(module);
    let mut first: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut to = HashMap::new();
    for &place in &found.places {
        let file = memory.file(place).ok_or_else(|| format!("what is at {place:#x} is no core::panic::Location"))?;
        to.insert(place, *first.entry(file).or_insert(place));
    }
    // Somebody else may know a place too.
    let words = memory.words();
    let kept: HashSet<usize> = to.values().copied().collect();
    for &place in found.places.iter().filter(|place| !found.others.contains(place) && !words.contains(place)) {
        // The file's name stays where a place stays, line and column nowhere.
        let from = if kept.contains(&place) { 8 } else { 0 };
        memory.fill_with_zeros(place + from, PLACE_BYTES - from);
    }
    memory.put_back(module);
    for (_, function) in module.funcs.iter_local_mut() {
        let entry = function.entry_block();
        dfs_pre_order_mut(&mut Moved { panicking, to: &to }, function, entry);
    }
    Ok(())
}

/// What a function calls by name.
#[derive(Default)]
struct Calls(Vec<FunctionId>);

impl<'i> Visitor<'i> for Calls {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.0.push(*function);
    }
}

/// Whether a function of this name writes a value as text, for somebody who has it as `dyn Debug` and the like.
fn formats(name: &str) -> bool {
    [" as core::fmt::", "::Expected>::fmt"].iter().any(|part| name.contains(part)) || name.starts_with("core::fmt::")
}

/// Empties what formats a value, unless what a page can call formats something.
fn empty_formatting(module: &mut Module) {
    let formatting: HashSet<FunctionId> =
        module.funcs.iter_local().map(|(id, _)| id).filter(|id| formats(&name_of(module, *id))).collect();
    let mut reached: HashSet<FunctionId> = HashSet::new();
    let mut next: Vec<FunctionId> = module.start.into_iter().collect();
    next.extend(module.exports.iter().filter_map(|export| match export.item {
        walrus::ExportItem::Function(id) => Some(id),
        _ => None,
    }));
    for element in module.elements.iter() {
        if let ElementItems::Functions(ids) = &element.items {
            next.extend(ids.iter().filter(|id| !formatting.contains(id)));
        }
    }
    while let Some(id) = next.pop() {
        if reached.insert(id)
            && let walrus::FunctionKind::Local(function) = &module.funcs.get(id).kind
        {
            let mut calls = Calls::default();
            dfs_in_order(&mut calls, function, function.entry_block());
            next.extend(calls.0);
        }
    }
    let mut formatted = reached.intersection(&formatting).map(|id| name_of(module, *id)).collect::<Vec<_>>();
    formatted.sort();
    if !formatted.is_empty() {
        eprintln!("wasmqtt-bindgen: the wasm formats text, so all of core::fmt stays: {}", formatted.join(", "));
        return;
    }
    for id in formatting {
        let ty = module.types.get(module.funcs.get(id).ty());
        let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
        let args = params.iter().map(|ty| module.locals.add(*ty)).collect();
        let name = module.funcs.get(id).name.clone().unwrap_or_default();
        let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
        builder.name(name).func_body().unreachable();
        module.funcs.get_mut(id).kind = walrus::FunctionKind::Local(builder.local_func(args));
    }
}

#[cfg(test)]
mod tests {
    use walrus::ModuleConfig;

    use super::*;

    /// Where the name of a file and its three places lie: two that calls name, and one that data names too.
    const NAME: i32 = 64;
    const PLACES: [i32; 3] = [80, 96, 112];

    /// A wasm of functions that panic at each of the places, with a formatter in its table that `formatting` calls.
    fn wasm(formatting: bool) -> Vec<u8> {
        let mut module = Module::with_config(ModuleConfig::new());
        let memory = module.memories.add_local(false, false, 1, None, None);
        let place = |line: u32| [NAME as u32, 4, line, 7].into_iter().flat_map(u32::to_le_bytes);
        let mut data = b"a.rs".to_vec();
        data.resize(16, 0);
        data.extend((1..=3).flat_map(place));
        data.extend(PLACES[2].to_le_bytes());
        let offset = ConstExpr::Value(Value::I32(NAME));
        module.data.add(DataKind::Active { memory, offset }, data);
        let mut function = |name: &str, params: &[ValType], body: &dyn Fn(&mut walrus::InstrSeqBuilder<'_>)| {
            let args = params.iter().map(|ty| module.locals.add(*ty)).collect();
            let mut builder = FunctionBuilder::new(&mut module.types, params, &[]);
            builder.name(name.to_owned());
            body(&mut builder.func_body());
            builder.finish(args, &mut module.funcs)
        };
        let pair = [ValType::I32; 2];
        function("wasm_bindgen::throw_str", &pair, &|body| {
            body.unreachable();
        });
        let formatter = function("<u8 as core::fmt::Display>::fmt", &[], &|body| {
            body.i32_const(5).drop();
        });
        let panic = function("core::panicking::panic_fmt", &pair, &|body| {
            body.call(formatter);
        });
        let page = function("page", &[], &|body| {
            for place in PLACES {
                body.i32_const(1).i32_const(place).call(panic);
            }
            if formatting {
                body.call(formatter);
            }
        });
        module.exports.add("page", page);
        module.tables.add_local(false, 1, None, walrus::RefType::FUNCREF);
        let table = module.tables.iter().next().expect("it was just added").id();
        let kind = walrus::ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(0)) };
        module.elements.add(kind, ElementItems::Functions(vec![formatter]));
        module.emit_wasm()
    }

    /// The shortened wasm: constants of the page's function, data, and whether the formatter still does something.
    fn shortened(formatting: bool) -> (Vec<i32>, Vec<u8>, bool) {
        struct Constants(Vec<i32>);
        impl<'i> Visitor<'i> for Constants {
            fn visit_const(&mut self, constant: &Const) {
                if let Value::I32(value) = constant.value {
                    self.0.push(value);
                }
            }
        }
        let module = Module::from_buffer(&shorten(&wasm(formatting)).expect("it is whole")).expect("it is a wasm");
        let constants = |name: &str| {
            let id = module.funcs.by_name(name).expect("it stays");
            let function = module.funcs.get(id).kind.unwrap_local();
            let mut constants = Constants(Vec::new());
            dfs_in_order(&mut constants, function, function.entry_block());
            constants.0
        };
        let data = module.data.iter().next().expect("it stays").value.clone();
        (constants("page"), data, !constants("<u8 as core::fmt::Display>::fmt").is_empty())
    }

    #[test]
    fn a_file_has_one_place_without_line_and_column() {
        let (constants, data, formats) = shortened(false);
        assert_eq!(constants, [1, PLACES[0], 1, PLACES[0], 1, PLACES[0]]);
        let mut wanted = b"a.rs".to_vec();
        wanted.resize(16, 0);
        wanted.extend([64, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        wanted.extend([0; 16]);
        // Data may read this one.
        wanted.extend([64, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0]);
        wanted.extend(PLACES[2].to_le_bytes());
        assert_eq!(data, wanted);
        assert!(!formats);
    }

    #[test]
    fn what_the_core_formats_with_stays() {
        assert!(shortened(true).2);
    }

    #[test]
    fn a_wasm_without_names_is_refused() {
        assert!(shorten(b"\0asm\x01\0\0\0").unwrap_err().contains("names of functions"));
    }
}
