//! Measures the parts of an upload before it is compiled: 3.6 MB of tiny functions cost a compiler 44 s and 2.4 GB.
//!
//! The bounds leave room for the largest guests of the supported languages, as measured: a trivial Python component has
//! 38 core modules, 108 core instances (70 of them made of exports alone), 13 480 functions and a function body of
//! 427 KB.

use wasmparser::{ElementItems, Parser, Payload};

use super::{AdmitError, Admitted};

const MAX_MODULES: u64 = 64;
const MAX_COMPONENTS: u64 = 64;
const MAX_INSTANCES: u64 = 256;
const MAX_FUNCTIONS: u64 = 50_000;
const MAX_BODY: u64 = 1 << 20;
const MAX_ELEMENTS: u64 = 200_000;
const MAX_DEPTH: usize = 16;

/// Refuses what has too many or too large parts. What cannot be parsed is left to the compiler, whose words are better.
pub(crate) fn measure(bytes: &[u8]) -> Admitted<()> {
    let (mut modules, mut components, mut instances, mut functions, mut elements) = (0u64, 0u64, 0u64, 0u64, 0u64);
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ModuleSection { .. } => modules += 1,
            Payload::ComponentSection { .. } => components += 1,
            Payload::InstanceSection(reader) => instances += u64::from(reader.count()),
            Payload::ComponentInstanceSection(reader) => instances += u64::from(reader.count()),
            Payload::CodeSectionStart { count, .. } => functions += u64::from(count),
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                let size = u64::try_from(range.end.saturating_sub(range.start)).unwrap_or(u64::MAX);
                within(size, MAX_BODY, "bytes in one function", "split the function")?;
            }
            Payload::ElementSection(reader) => {
                for element in reader.into_iter().flatten() {
                    elements += u64::from(match element.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                }
            }
            _ => {}
        }
        within(modules, MAX_MODULES, "core modules", "link it into fewer")?;
        within(components, MAX_COMPONENTS, "nested components", "compose it from fewer")?;
        within(instances, MAX_INSTANCES, "instances", "link it into fewer parts")?;
        within(functions, MAX_FUNCTIONS, "functions", "leave out what is not used")?;
        within(elements, MAX_ELEMENTS, "elements in tables", "leave out what is not used")?;
        within(u64::try_from(depth).unwrap_or(u64::MAX), MAX_DEPTH as u64, "levels of nesting", "make it flatter")?;
    }
    Ok(())
}

fn within(found: u64, limit: u64, what: &str, advice: &str) -> Admitted<()> {
    if found <= limit {
        return Ok(());
    }
    let text = format!("the component has at least {found} {what}, at most {limit} are accepted; {advice}");
    Err(AdmitError::new("parts", text))
}
