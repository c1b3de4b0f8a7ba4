//! What kind of server answers: Tenter, or a DP³, which has its routes and none of ours.
//!
//! Commands ask our routes and fall back where DP³'s give the same; where they do not, the error says that it is the kind
//! of server and not the thing asked for that is missing.

use serde_json::Value;

use crate::error::{CliError, Kind};

use super::problem::{lacks_route, problem};
use super::{Answer, Broken, Client, local};

/// A kind of server, and how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Ours, and whether it is ready.
    Tenter { ready: bool },
    /// It has DP³'s routes alone.
    Dp3,
}

impl Client {
    /// Asks what kind of server it is.
    ///
    /// # Errors
    /// When there is no server, or it answers like neither kind.
    pub(crate) fn peer(&self) -> Result<Peer, Broken> {
        let greeting = self.try_call("GET", "/", None)?;
        if !local::greets(greeting.status, &greeting.body) {
            return Err(Broken { error: self.stranger("/", &greeting), reached: true });
        }
        let ready = self.try_call("GET", "/readyz", None)?;
        match ready.status {
            404 => Ok(Peer::Dp3),
            status => Ok(Peer::Tenter { ready: status == 200 }),
        }
    }

    /// What an answer holds, when it is a success.
    ///
    /// # Errors
    /// When it is none; the error says what the status and the body mean.
    pub(crate) fn settle(&self, path: &str, answer: Answer) -> Result<Value, CliError> {
        match answer.status {
            200..=299 => Ok(answer.body),
            404 if lacks_route(404, &answer.body) => Err(self.not_offered(path)),
            404 if !answer.body.is_object() => Err(self.stranger(path, &answer)),
            status => Err(problem(status, &answer.body, self.token.is_some())),
        }
    }

    /// The first of these requests that the server has a route for, and its answer when that is a success. For what
    /// the two kinds of servers offer at different places.
    ///
    /// # Errors
    /// When there is no server, or its answer is an error.
    pub(crate) fn first_of(&self, requests: &[(&str, &str)]) -> Result<Value, CliError> {
        let mut last = None;
        for (method, path) in requests {
            let answer = self.try_call(method, path, None).map_err(|b| b.error)?;
            let missing = lacks_route(answer.status, &answer.body) || answer.status == 405;
            let settled = self.settle(path, answer);
            if !missing {
                return settled;
            }
            last = Some(settled);
        }
        last.unwrap_or(Ok(Value::Null))
    }

    fn not_offered(&self, path: &str) -> CliError {
        let route = path.split('?').next().unwrap_or(path);
        CliError::new(Kind::Failed, format!("this server does not offer {route} (it answers as DP³)"))
            .help(format!("{} is no Tenter server; `--url` names another one", self.base))
    }

    fn stranger(&self, path: &str, answer: &Answer) -> CliError {
        let route = path.split('?').next().unwrap_or(path);
        let message =
            format!("{} does not answer like a Tenter or DP³ server (HTTP {} for {route})", self.base, answer.status);
        CliError::new(Kind::Unreachable, message)
            .help(format!("if the API stands under a prefix, name it too: `--url {}/api`", self.base))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::tests::serve;

    const GREETING: &str =
        "HTTP/1.1 200 OK\r\ncontent-length: 22\r\nconnection: close\r\n\r\n{\"detail\":\"It works!\"}";
    const UNKNOWN: &str =
        "HTTP/1.1 404 Not Found\r\ncontent-length: 22\r\nconnection: close\r\n\r\n{\"detail\":\"Not Found\"}";
    const STARTING: &str = "HTTP/1.1 503 Starting\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    const PAGE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";

    fn client(answers: Vec<&'static str>) -> Client {
        Client::new(&serve(answers).0, None, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn both_kinds_are_known_and_others_are_not_taken_for_them() {
        assert_eq!(client(vec![GREETING, UNKNOWN]).peer().unwrap(), Peer::Dp3);
        assert_eq!(client(vec![GREETING, STARTING]).peer().unwrap(), Peer::Tenter { ready: false });
        let error = client(vec![PAGE]).peer().unwrap_err().error;
        assert_eq!(error.kind, Kind::Unreachable);
        assert!(error.help.unwrap().ends_with("/api`"));
    }

    #[test]
    fn a_route_that_only_tenter_has_is_named_as_such() {
        let client = client(vec![UNKNOWN, PAGE]);
        let error = client.get("/api/v1/modules?limit=3").unwrap_err();
        insta::assert_snapshot!(error, @"this server does not offer /api/v1/modules (it answers as DP³)");
        assert_eq!(error.kind, Kind::Failed);
        assert_eq!(client.get("/entities").unwrap_err().kind, Kind::Unreachable);
    }
}
