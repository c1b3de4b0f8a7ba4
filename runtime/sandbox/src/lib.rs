//! Runs third-party modules in wasmtime: admits components and calls their hooks under limits.
//!
//! * [`Sandbox`] holds the engine and admits modules.
//! * [`Lane`] is one worker's set of warm instances; it implements [`tenter_model::HookHost`].
//! * One function in `entry.rs` enters a guest; nothing else can reach a store.
//! * WIT types end in `convert`: what leaves this package is the model's.
//!
//! Guests are strangers. A module that loops, grows, lies or traps costs one call and its instance, and the failure
//! says which limit, how much was used and what to do.

mod admit;
mod bindings;
mod cache;
mod capability;
pub mod compile_child;
mod component;
mod convert;
mod engine;
mod entry;
mod failure;
mod files;
mod guest;
mod instance;
mod lane;
mod limits;
mod text;
mod wasi;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use admit::How;
use tenter_model::egress::{Nowhere, Outside};
use tenter_model::host::HostData;
use tenter_model::module::LoadedModule;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

pub use admit::{AdmitError, AdmitRequest};
pub use compile_child::{CompileLimits, Compiler};
pub use lane::Lane;

/// How a sandbox is set up.
#[derive(Debug, Clone, Default)]
pub struct SandboxOptions {
    /// Where compiled code is kept between runs, if anywhere. Whoever can write there as this user can run code in this
    /// process.
    pub cache_dir: Option<PathBuf>,
    /// Lanes that will be made; decides how many instances there is room for.
    pub lanes: u32,
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// wasmtime cannot work on this machine.
    #[error(
        "cannot start the WebAssembly engine: {0}; it needs a 64-bit machine and address space for its pool (see `ulimit -v`)"
    )]
    Engine(String),
    /// The folder of compiled code cannot be used.
    #[error("cannot use the code cache {}: {error}", dir.display())]
    Cache {
        /// The folder.
        dir: PathBuf,
        /// What is wrong.
        error: std::io::Error,
    },
}

/// The engine, what host imports are linked to, and the cache of compiled code.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<guest::Guest>,
    cache: Option<cache::Cache>,
    compiler: Compiler,
    /// Held while an upload is compiled.
    compiling: Mutex<()>,
    generations: AtomicU64,
    outside: Arc<dyn Outside>,
    /// The component that was compiled last, by its digest, where it is remembered.
    last: Option<Mutex<Option<(String, Component)>>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts the engine and its ticker thread, which ends with the sandbox and its lanes.
    ///
    /// # Errors
    /// When wasmtime cannot work on this machine, or the cache cannot be used.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let wrong = |e: wasmtime::Error| SandboxError::Engine(format!("{e:#}"));
        let engine = engine::start(options.lanes).map_err(wrong)?;
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(wrong)?;
        capability::add_to_linker(&mut linker).map_err(wrong)?;
        let cache = match options.cache_dir {
            Some(dir) => match cache::Cache::open(&dir, &engine) {
                Ok(cache) => Some(cache),
                Err(error) => return Err(SandboxError::Cache { dir, error }),
            },
            None => None,
        };
        let compiler = Compiler::default();
        let generations = AtomicU64::new(0);
        let outside = Arc::new(Nowhere);
        Ok(Self { engine, linker, cache, compiler, compiling: Mutex::default(), generations, outside, last: None })
    }

    /// The same sandbox for modules that may reach what is outside, within their grants.
    #[must_use]
    pub fn reaching(self, outside: Arc<dyn Outside>) -> Self {
        Self { outside, ..self }
    }

    /// The same sandbox with another compiler than [`Compiler::InProcess`].
    #[must_use]
    pub fn compile_with(self, compiler: Compiler) -> Self {
        Self { compiler, ..self }
    }

    /// The same sandbox for a tool of authors, which admits one component over and over: the compiled one stays in
    /// memory, and the folder of compiled code is kept below so many bytes, the oldest going first.
    #[must_use]
    pub fn for_one_author(self, cache_bytes: u64) -> Self {
        let cache = self.cache.map(|cache| cache.at_most(cache_bytes));
        Self { cache, last: Some(Mutex::default()), ..self }
    }

    /// Whether a component need not be compiled any more, as far as can be told without loading it.
    #[must_use]
    pub fn is_compiled(&self, bytes: &[u8]) -> bool {
        let digest = admit::digest(bytes);
        self.remembered(&digest).is_some() || self.cache.as_ref().is_some_and(|cache| cache.has(&digest))
    }

    /// Compiles a component, so that admitting it takes no time.
    ///
    /// # Errors
    /// [`AdmitError`], as admitting it would give.
    pub fn compile(&self, bytes: &[u8]) -> Result<(), AdmitError> {
        admit::compile(self, bytes)
    }

    /// Admits a component as a module, whole or not at all. Runs `describe`, `configure` and `subscriptions` in an
    /// instance that is dropped afterwards. Compiling can take half a minute for language runtimes; call it from a
    /// thread that may wait, and never from an async one.
    ///
    /// # Errors
    /// [`AdmitError`] with a text for the author or operator.
    pub fn admit(&self, request: AdmitRequest<'_>, data: Arc<dyn HostData>) -> Result<LoadedModule, AdmitError> {
        self.admit_as(request, &data, How { strict: true, may_lack: false })
    }

    /// As [`Sandbox::admit`], but a module that lacks mandatory parameters is admitted as far as it can be looked at, and
    /// says so in [`LoadedModule::lacks`]: it is to be installed, configured, and then admitted again.
    ///
    /// # Errors
    /// [`AdmitError`] with a text for the author or operator.
    pub fn admit_unconfigured(
        &self,
        request: AdmitRequest<'_>,
        data: Arc<dyn HostData>,
    ) -> Result<LoadedModule, AdmitError> {
        self.admit_as(request, &data, How { strict: true, may_lack: true })
    }

    /// As [`Sandbox::admit`], but entity types and attributes that subscriptions name need not be in the specification.
    /// For the author's tools, which often have none; never for a server.
    ///
    /// # Errors
    /// [`AdmitError`] with a text for the author.
    pub fn admit_unspecified(
        &self,
        request: AdmitRequest<'_>,
        data: Arc<dyn HostData>,
    ) -> Result<LoadedModule, AdmitError> {
        self.admit_as(request, &data, How { strict: false, may_lack: false })
    }

    fn admit_as(
        &self,
        request: AdmitRequest<'_>,
        data: &Arc<dyn HostData>,
        how: How,
    ) -> Result<LoadedModule, AdmitError> {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        admit::admit(self, request, data, generation, how)
    }

    /// A new lane without instances. Use it on one plain thread.
    #[must_use]
    pub fn lane(&self, data: Arc<dyn HostData>) -> Lane {
        Lane::new(self.engine.clone(), data)
    }

    pub(crate) fn outside(&self) -> Arc<dyn Outside> {
        self.outside.clone()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn linker(&self) -> &Linker<guest::Guest> {
        &self.linker
    }

    pub(crate) fn cache(&self) -> Option<&cache::Cache> {
        self.cache.as_ref()
    }

    pub(crate) fn remembered(&self, digest: &str) -> Option<Component> {
        let last = self.last.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(known, _)| known == digest).map(|(_, component)| component.clone())
    }

    pub(crate) fn remember(&self, digest: &str, component: &Component) {
        if let Some(last) = &self.last {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest.to_owned(), component.clone()));
        }
    }
}
