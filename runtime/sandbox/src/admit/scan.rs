//! Measures the parts of an upload before it is compiled: 3.6 MB of tiny functions cost a compiler 44 s and 2.4 GB.
//!
//! The bounds leave room for the largest guests of the supported languages, as measured (the table is in
//! `docs/limits.md`): trivial components of Python and JavaScript have up to 14 core modules, 76 instances, most of them
//! made of exports alone, 13 374 functions and a function body of 427 KB; one in Go has 50 256 segments, and its linker makes
//! up to 100 000, since it leaves zeroes out. Nothing is decompressed anywhere: an
//! upload is the component itself, so that no small body becomes a large one.
//!
//! What wasmparser bounds by itself is left to it: 1000 parameters and results of a function, 50 000 locals, depth and
//! size of types.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, ElementItems,
    Encoding, MemoryType, Parser, Payload, TableType, TypeRef,
};

use super::{AdmitError, Admitted};
use crate::engine::{MAX_MEMORY, MAX_TABLE};

const MAX_MODULES: u64 = 64;
const MAX_COMPONENTS: u64 = 64;
const MAX_INSTANCES: u64 = 256;
const MAX_FUNCTIONS: u64 = 50_000;
const MAX_BODY: u64 = 1 << 20;
const MAX_ELEMENTS: u64 = 200_000;
const MAX_SEGMENTS: u64 = 120_000;
const MAX_TYPES: u64 = 50_000;
const MAX_DEPTH: u64 = 16;

/// What was counted so far.
#[derive(Debug, Default)]
struct Parts {
    modules: u64,
    components: u64,
    functions: u64,
    elements: u64,
    segments: u64,
    types: u64,
    /// What is being read, outermost first.
    open: Vec<Frame>,
    /// Most instances that one of the closed components makes.
    heaviest: u64,
}

/// A module or component that is being read.
#[derive(Debug, Default)]
struct Frame {
    is_component: bool,
    /// Instances that it makes, and those that the components inside it make for it.
    instances: u64,
    /// The same number for each component that it can name, by index.
    components: Vec<u64>,
}

/// Refuses what has too many or too large parts. What cannot be parsed is left to the compiler, whose words are better.
pub(crate) fn measure(bytes: &[u8]) -> Admitted<()> {
    let mut parts = Parts::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        parts.add(payload)?;
        parts.check()?;
    }
    Ok(())
}

impl Parts {
    fn add(&mut self, payload: Payload<'_>) -> Admitted<()> {
        match payload {
            Payload::Version { encoding, .. } => {
                let is_component = encoding == Encoding::Component;
                self.open.push(Frame { is_component, ..Frame::default() });
            }
            Payload::End(_) => self.close(),
            Payload::ModuleSection { .. } => self.modules += 1,
            Payload::ComponentSection { .. } => self.components += 1,
            Payload::InstanceSection(reader) => self.instances(u64::from(reader.count())),
            Payload::ComponentInstanceSection(reader) => {
                for instance in reader.into_iter().flatten() {
                    let inside = match instance {
                        ComponentInstance::Instantiate { component_index, .. } => self.weight(0, component_index),
                        ComponentInstance::FromExports(_) => 0,
                    };
                    self.instances(inside.saturating_add(1));
                }
            }
            Payload::ComponentAliasSection(reader) => {
                for alias in reader.into_iter().flatten() {
                    match alias {
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                            let weight = self.weight(count, index);
                            self.name(weight);
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                            self.name(self.heaviest);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentImportSection(reader) => {
                let imports = reader.into_iter().flatten();
                let components = imports.filter(|i| matches!(i.ty, ComponentTypeRef::Component(_))).count();
                (0..components).for_each(|_| self.name(self.heaviest));
            }
            Payload::ComponentExportSection(reader) => {
                let exports = reader.into_iter().flatten();
                for export in exports.filter(|e| e.kind == ComponentExternalKind::Component) {
                    let weight = self.weight(0, export.index);
                    self.name(weight);
                }
            }
            Payload::TypeSection(reader) => self.types += u64::from(reader.count()),
            Payload::CoreTypeSection(reader) => self.types += u64::from(reader.count()),
            Payload::ComponentTypeSection(reader) => self.types += u64::from(reader.count()),
            Payload::CodeSectionStart { count, .. } => self.functions += u64::from(count),
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                let size = u64::try_from(range.end.saturating_sub(range.start)).unwrap_or(u64::MAX);
                within(size, MAX_BODY, "bytes in one function", "split the function")?;
            }
            Payload::MemorySection(reader) => reader.into_iter().flatten().try_for_each(memory)?,
            Payload::TableSection(reader) => reader.into_iter().flatten().try_for_each(|t| table(t.ty))?,
            Payload::ImportSection(reader) => {
                for import in reader.into_imports().flatten() {
                    match import.ty {
                        TypeRef::Memory(ty) => memory(ty)?,
                        TypeRef::Table(ty) => table(ty)?,
                        _ => {}
                    }
                }
            }
            Payload::DataSection(reader) => self.segments += u64::from(reader.count()),
            Payload::ElementSection(reader) => {
                self.segments += u64::from(reader.count());
                for element in reader.into_iter().flatten() {
                    self.elements += u64::from(match element.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn instances(&mut self, more: u64) {
        if let Some(frame) = self.open.last_mut() {
            frame.instances = frame.instances.saturating_add(more);
        }
    }

    /// The next index of components stands for one that makes so many instances.
    fn name(&mut self, weight: u64) {
        if let Some(frame) = self.open.last_mut() {
            frame.components.push(weight);
        }
    }

    /// Instances that the component of this index makes, so many levels further out. What has no such index is not
    /// valid, which the compiler will say.
    fn weight(&self, outwards: u32, index: u32) -> u64 {
        let outwards = usize::try_from(outwards).unwrap_or(usize::MAX);
        let frame = self.open.iter().rev().nth(outwards);
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        frame.and_then(|frame| frame.components.get(index)).copied().unwrap_or(self.heaviest)
    }

    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        if frame.is_component {
            self.heaviest = self.heaviest.max(frame.instances);
            self.name(frame.instances);
        }
    }

    fn check(&self) -> Admitted<()> {
        let instances = self.open.last().map_or(0, |frame| frame.instances);
        let depth = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
        within(self.modules, MAX_MODULES, "core modules", "link it into fewer")?;
        within(self.components, MAX_COMPONENTS, "nested components", "compose it from fewer")?;
        within(instances, MAX_INSTANCES, "instances", "link it into fewer parts")?;
        within(self.functions, MAX_FUNCTIONS, "functions", "leave out what is not used")?;
        within(self.elements, MAX_ELEMENTS, "elements in tables", "leave out what is not used")?;
        within(self.segments, MAX_SEGMENTS, "segments of data and elements", "join them")?;
        within(self.types, MAX_TYPES, "types", "leave out what is not used")?;
        within(depth, MAX_DEPTH, "levels of nesting", "make it flatter")
    }
}

fn memory(ty: MemoryType) -> Admitted<()> {
    let page = 1u64.checked_shl(ty.page_size_log2.unwrap_or(16)).unwrap_or(u64::MAX);
    let limit = u64::try_from(MAX_MEMORY).unwrap_or(u64::MAX);
    within(ty.initial.saturating_mul(page), limit, "bytes of memory at the start", "begin with less and grow")
}

fn table(ty: TableType) -> Admitted<()> {
    let limit = u64::try_from(MAX_TABLE).unwrap_or(u64::MAX);
    within(ty.initial, limit, "elements in a table at the start", "begin with fewer and grow")
}

fn within(found: u64, limit: u64, what: &str, advice: &str) -> Admitted<()> {
    if found <= limit {
        return Ok(());
    }
    let text = format!("the component has at least {found} {what}, at most {limit} are accepted; {advice}");
    Err(AdmitError::new("parts", text))
}
