//! What the host gives. In a component these are imports; in native tests the [`crate::testing`] host answers.
//!
//! Errors of these functions convert into [`crate::HookError`] by `?`: what may pass becomes `unavailable`, which the
//! host retries where the kind of hook has retries.

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::imports::tenter::hooks as backend;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::fake as backend;

/// The module's log. Long messages are cut, too many are counted and dropped.
///
/// ```
/// use tenter_sdk::log;
/// log::info!("{} entities", 3);
/// ```
pub mod log {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::log::Level;
    pub use crate::{__debug as debug, __error as error, __info as info, __warning as warning};

    /// Writes a message; the macros format one.
    pub fn write(level: Level, message: &str) {
        backend::log::write(level, message);
    }
}

/// Formats and logs a message for developers.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug { ($($t:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($t)*)) }; }
/// Formats and logs a message.
#[doc(hidden)]
#[macro_export]
macro_rules! __info { ($($t:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($t)*)) }; }
/// Formats and logs something that an operator should look at.
#[doc(hidden)]
#[macro_export]
macro_rules! __warning { ($($t:tt)*) => { $crate::log::write($crate::log::Level::Warning, &::std::format!($($t)*)) }; }
/// Formats and logs something that went wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __error { ($($t:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($t)*)) }; }

/// Facts about the running call.
pub mod call {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::call::CallCause;
    use crate::time::Timestamp;

    /// The time of the call; it stands still while the call runs.
    #[must_use]
    pub fn now() -> Timestamp {
        Timestamp(backend::call::now())
    }

    /// Names the call; the same when the call is repeated after a crash. Fit as an idempotency key.
    #[must_use]
    pub fn id() -> String {
        backend::call::id()
    }

    /// Why the call is made.
    #[must_use]
    pub fn cause() -> CallCause {
        backend::call::cause()
    }

    /// Random bits seeded from the id of the call; not for secrets.
    #[must_use]
    pub fn random() -> u64 {
        backend::call::random()
    }

    /// Only in `after` and `manual`: asks for this call again after 1 to 604,800 seconds (a week), with `memo` (at most
    /// 4 KiB) readable then. The last wish of a call counts, and only if the call succeeds. False where that cannot be:
    /// after 1,000 times or 90 days, once the case is closed or nothing of what the call is about is left. The next call
    /// sees the objects as they are by then.
    #[must_use]
    pub fn resume_after(seconds: u32, memo: &str) -> bool {
        backend::call::resume_after(seconds, memo)
    }

    /// What the call that asked for this one left.
    #[must_use]
    pub fn memo() -> Option<String> {
        backend::call::memo()
    }
}

/// Keys and values private to the module. Needs the capability `state`.
///
/// Writes commit with the effects of the call, or not at all; reads see the last commit and the writes of this call.
pub mod state {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::state::StateError;

    /// The value, if there is one.
    ///
    /// # Errors
    /// [`StateError::Denied`] without the grant.
    pub fn fetch(key: &str) -> Result<Option<Vec<u8>>, StateError> {
        backend::state::fetch(key)
    }

    /// The value as text, if there is one; also what [`increment`] counted. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// [`StateError::Denied`] without the grant.
    pub fn fetch_text(key: &str) -> Result<Option<String>, StateError> {
        Ok(fetch(key)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Sets a value, for a time in seconds or for ever.
    ///
    /// # Errors
    /// [`StateError::Denied`] without the grant, `TooLarge` and `Quota` at the host's bounds.
    pub fn store(key: &str, value: impl AsRef<[u8]>, keep_seconds: Option<u64>) -> Result<(), StateError> {
        backend::state::store(key, value.as_ref(), keep_seconds)
    }

    /// Removes a key; succeeds when there is none.
    ///
    /// # Errors
    /// [`StateError::Denied`] without the grant.
    pub fn discard(key: &str) -> Result<(), StateError> {
        backend::state::discard(key)
    }

    /// Adds to a counter, which starts at 0. Concurrent calls add up: nothing is lost and nothing is counted twice.
    ///
    /// # Errors
    /// [`StateError::Denied`] without the grant.
    pub fn increment(key: &str, by: i64) -> Result<(), StateError> {
        backend::state::increment(key, by)
    }

    /// Committed keys with the prefix, in byte order, after a key, at most `limit` (1 to 1000).
    ///
    /// # Errors
    /// [`StateError::Denied`] without the grant.
    pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError> {
        backend::state::keys(prefix, after, limit)
    }
}

/// What is stored of entities, as of the last commit. Needs the capability `read-entities`.
pub mod entities {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::entities::ReadError;
    use crate::record::MasterRecord;
    use crate::value::EntityRef;

    /// The master record, if the entity is known.
    ///
    /// # Errors
    /// [`ReadError::Denied`] without the grant for that type.
    pub fn read_record(entity: &EntityRef) -> Result<Option<MasterRecord>, ReadError> {
        backend::entities::read_record(entity)
    }

    /// Whether the entity is known.
    ///
    /// # Errors
    /// [`ReadError::Denied`] without the grant for that type.
    pub fn known(entity: &EntityRef) -> Result<bool, ReadError> {
        backend::entities::known(entity)
    }

    /// The entity specification as JSON. Needs no grant and is allowed in `new`.
    #[must_use]
    pub fn schema() -> String {
        backend::entities::schema()
    }

    /// The case hooks that exist, such as `on_postload_ioc_create`.
    #[must_use]
    pub fn case_hooks() -> Vec<String> {
        backend::entities::case_hooks()
    }
}

/// Current values of entities that the view at hand does not hold: for `correlate` and `correlate_with_record` alone.
/// Needs the capability `read-entities`.
pub mod views {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::views::ViewError;
    use crate::value::EntityRef;
    use crate::view::EntityView;

    /// All current values of an entity that is linked to the root, over any number of links, as earlier hooks of the
    /// run left them. `None`: not linked, or not known.
    ///
    /// # Errors
    /// [`ViewError::Denied`] without the grant for that type, and in other hooks.
    pub fn fetch(entity: &EntityRef) -> Result<Option<EntityView>, ViewError> {
        backend::views::fetch(entity)
    }
}

/// Tasks from hooks that return none: for `cron` alone.
pub mod tasks {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::tasks::SubmitError;
    use crate::task::Task;

    /// All or none; they commit with the call. Returns their ids.
    ///
    /// # Errors
    /// [`SubmitError`], above all outside `cron`.
    pub fn submit(tasks: &[Task]) -> Result<Vec<String>, SubmitError> {
        backend::tasks::submit(tasks)
    }
}

/// Requests to outside services. Needs the capability `http`.
pub mod http {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::http::{
        Header, HttpError, Parameter, Request, Response, SecretUse, Sensitive,
    };

    /// Sends a request and waits for the answer. An answer of any status is a success.
    ///
    /// # Errors
    /// [`HttpError`], above all `Denied` without a grant that covers method and address.
    pub fn send(request: &Request) -> Result<Response, HttpError> {
        backend::http::send(request)
    }

    impl Request {
        /// A request without a body.
        pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
            let (method, url) = (method.into(), url.into());
            Self { method, url, query: Vec::new(), headers: Vec::new(), body: None, timeout_ms: None }
        }

        /// `GET`.
        pub fn get(url: impl Into<String>) -> Self {
            Self::new("GET", url)
        }

        /// Adds a parameter of the query.
        #[must_use]
        pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.query.push(Parameter { name: name.into(), value: Sensitive::Clear(value.into()) });
            self
        }

        /// Adds a header.
        #[must_use]
        pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.headers.push(Parameter { name: name.into(), value: Sensitive::Clear(value.into()) });
            self
        }

        /// Adds a header of `prefix` and a secret, which the host puts in behind the module's back.
        #[must_use]
        pub fn secret_header(
            mut self,
            name: impl Into<String>,
            prefix: impl Into<String>,
            secret: impl Into<String>,
        ) -> Self {
            let value = Sensitive::Secret(SecretUse { prefix: prefix.into(), name: secret.into() });
            self.headers.push(Parameter { name: name.into(), value });
            self
        }

        /// Sets the body.
        #[must_use]
        pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
            self.body = Some(body.into());
            self
        }

        /// Waits this long at most, in milliseconds.
        #[must_use]
        pub fn timeout_ms(mut self, millis: u32) -> Self {
            self.timeout_ms = Some(millis);
            self
        }

        /// Sends it.
        ///
        /// # Errors
        /// As [`send`].
        pub fn send(&self) -> Result<Response, HttpError> {
            send(self)
        }
    }
}

/// Name look-ups. Needs the capability `resolver`.
pub mod resolver {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::resolver::ResolveError;

    /// Looks a name up. `kind` is A, AAAA, PTR, TXT, MX, NS or CNAME.
    ///
    /// # Errors
    /// [`ResolveError::NotFound`] when there is nothing; `Denied` without the grant.
    pub fn lookup(name: &str, kind: &str) -> Result<Vec<String>, ResolveError> {
        backend::resolver::lookup(name, kind, None)
    }

    /// Asks one server, an address with or without a port. Needs a grant whose scope holds it.
    ///
    /// # Errors
    /// As [`lookup`].
    pub fn lookup_at(server: &str, name: &str, kind: &str) -> Result<Vec<String>, ResolveError> {
        backend::resolver::lookup(name, kind, Some(server))
    }

    /// Names of an address.
    ///
    /// # Errors
    /// As [`lookup`].
    pub fn reverse(address: &str) -> Result<Vec<String>, ResolveError> {
        backend::resolver::reverse(address, None)
    }
}

/// Secrets by name; their text stays with the host. Needs the capability `secret`.
pub mod secrets {
    use super::backend;
    pub use crate::bindings::imports::tenter::hooks::secrets::SecretError;

    /// Names that are granted and set.
    #[must_use]
    pub fn available() -> Vec<String> {
        backend::secrets::available()
    }

    /// HMAC-SHA-256 of a message under a secret.
    ///
    /// # Errors
    /// [`SecretError::Denied`] without the grant, `NotSet` when the operator has not set it.
    pub fn hmac_sha256(name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        backend::secrets::hmac_sha256(name, message)
    }
}
